"""A shared workbench: who may see it, who may change it, and what is recorded about who did."""

import pytest
from streamlit.testing.v1 import AppTest

from ballad.experiment import Experiment
from ballad.store import queries
from ballad.store.run_store import RunStore
from dashboard.access import why_not_edit
from tests.helpers.shown import PATIENCE_S, page_opener

ADA = {"is_logged_in": True, "email": "ada@example.org", "email_verified": True, "sub": "1"}
EVE = {"is_logged_in": True, "email": "eve@elsewhere.org", "sub": "2"}


@pytest.fixture
def shared(app: AppTest) -> AppTest:
    """The shell of a workbench with a login, whose editors are those of example.org."""
    app.secrets["auth"] = {"client_id": "workbench", "cookie_secret": "x"}
    app.secrets["workbench"] = {"editors": ["*@example.org"]}
    return app


def buttons(app: AppTest) -> dict[str, bool]:
    """The buttons by their labels, and whether they are disabled."""
    return {button.label: button.disabled for button in app.button}


def test_without_a_login_nobody_is_asked_and_nobody_recorded(app, store):
    app = page_opener("home")(app)
    assert "Log in" not in buttons(app) and not buttons(app)["Run the demo"]
    app.button[0].click().run()
    assert store.queued()[0].started_by is None


def test_who_has_not_logged_in_sees_a_button_and_nothing_else(shared, store):
    store.create(Experiment(name="secret plan"))
    app = shared.run()
    assert list(buttons(app)) == ["Log in"]
    assert not app.dataframe and "secret plan" not in "".join(text.value for text in [*app.markdown, *app.caption])


def test_an_editor_starts_a_run_which_is_recorded(shared, store):
    shared.user = ADA
    app = page_opener("home")(shared)
    next(button for button in app.button if button.label == "Run the demo").click().run()
    assert not app.exception
    assert store.queued()[0].started_by == "ada@example.org"


def test_a_guest_sees_runs_and_why_buttons_are_disabled(shared, store):
    run_id = store.create(Experiment(name="shown"))
    shared.user = EVE
    app = page_opener("runs")(shared, run=run_id)
    assert app.dataframe and buttons(app)["Delete"] and buttons(app)["Cancel"]
    delete = next(button for button in app.button if button.label == "Delete")
    assert delete.help.startswith("eve@elsewhere.org is a guest".replace("@", "\u2060@"))


def test_a_guest_who_clicks_all_the_same_changes_nothing(shared, store):
    """Widgets are in the browser's hands; the actions themselves refuse."""
    run_id = store.create(Experiment(name="kept"))
    shared.user = ADA
    app = page_opener("runs")(shared, run=run_id)
    delete = next(button for button in app.button if button.label == "Delete")
    assert not delete.disabled
    app.user = EVE
    delete.click().run()
    assert "is a guest" in app.exception[0].message and store.get(run_id).deleted is None
    app.user = ADA
    app.run()
    next(button for button in app.button if button.label == "Delete").click().run()
    assert store.get(run_id).deleted is not None
    assert "Deleted by ada@example.org." in queries.log(store, run_id)["text"].tolist()


@pytest.mark.parametrize(
    ("user", "may"),
    [
        (ADA, True),
        ({**ADA, "email": "ADA@Example.org"}, True),
        ({**ADA, "email_verified": False}, False),
        ({**ADA, "email": "ada@example.org.evil.com"}, False),
        (EVE, False),
        ({"is_logged_in": False}, False),
        ({}, False),
    ],
)
def test_editors_are_those_whose_address_the_provider_vouches_for(shared, user, may):
    def page():
        import streamlit as st

        from dashboard.access import why_not_edit

        st.text(str(why_not_edit() is None))

    app = AppTest.from_function(page, default_timeout=PATIENCE_S)
    app.secrets, app.user = shared.secrets, user
    assert app.run().text[0].value == str(may)


def test_without_secrets_all_may_edit():
    assert why_not_edit() is None


def test_changes_are_noted_in_the_log_of_each_run(store: RunStore):
    one, two = (store.create(Experiment(name=name)) for name in ("one", "two"))
    theirs = store.on_behalf_of("ada@example.org")
    theirs.edit(one, notes="look here")
    theirs.cancel(one, two)
    theirs.resume(two)
    store.delete(two)
    notes = {run_id: queries.log(store, run_id)["text"].tolist() for run_id in (one, two)}
    assert notes[one] == ["Changed (notes) by ada@example.org.", "Cancelled by ada@example.org."]
    assert notes[two] == ["Cancelled by ada@example.org.", "Queued again by ada@example.org."]
    assert store.get(one).started_by is None
