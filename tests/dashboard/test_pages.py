"""Home and Runs as readers meet them: with nothing, with finished, failed and active runs."""

import itertools
import subprocess
import sys
import threading

import pytest

from ballad.events import EpochEvaluated, Notice, Progress
from tests.helpers.shown import charts, page_opener
from tests.helpers.stored_runs import ACCURACY, done, failed, running

PAGES = ("home", "runs")


def open_page(app, page: str, **query: list[str] | str):
    return page_opener(page)(app, **query)


def page_links(app) -> str:
    return "\n".join(element.proto.label for element in app.get("page_link"))


def words(app) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption, *app.error])


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_store_invites(app, page):
    app = open_page(app, page)
    assert "No runs yet" in words(app)
    assert not app.error


def test_the_demo_button_queues_a_run_and_leads_to_it(app, store):
    app = open_page(app, "home")
    app.button[0].click().run()
    assert not app.exception
    (run,) = store.queued()
    assert run.experiment.dataset.source == "demo" and run.tags == ("demo",)
    assert app.query_params["run"] == run.id


def test_home_says_where_to_go(app, store):
    app = open_page(app, "home")
    assert "bring your own" in (links := page_links(app)) and "Sweep λ" not in links
    done(store)
    app.run()
    assert "Sweep λ" in page_links(app)


def test_home_shows_recent_runs_with_their_accuracy(app, store):
    done(store, name="first")
    table = open_page(app, "home").dataframe[0].value
    assert table["name"].tolist() == ["first"]
    assert table["few"].tolist() == [ACCURACY["few"]]
    assert list(table["sparkline"][0]) == [62.5, 67.5]


def test_folders_go_by_their_own_names_in_the_table(app, store):
    done(store, dataset={"source": "/data/pets"}, backbone={"name": "ViT-B/16"})
    table = open_page(app, "home").dataframe[0].value
    assert (table["dataset"][0], table["backbone"][0]) == ("pets", "ViT-B/16")


def test_a_deep_link_shows_the_curves_of_its_runs(app, store):
    ids = [done(store, name="first"), done(store, name="second")]
    app = open_page(app, "runs", run=ids)
    accuracy = charts(app)["Validation accuracy of each shot group by epoch"]
    assert {trace["name"] for trace in accuracy["data"]} == {f"first · {ids[0]}", f"second · {ids[1]}"}
    assert "2 runs, 2 selected" in words(app)


def test_runs_is_drawn_while_epochs_end_faster_than_it_is(app, store):
    run_id, _ = running(store)
    over = threading.Event()

    def train() -> None:
        for epoch in itertools.count(2):
            if over.wait(0.002):
                return
            store.record(run_id, EpochEvaluated("phase_a", epoch, 1.0, 0.1, {"all": float(epoch)}))

    training = threading.Thread(target=train)
    training.start()
    try:
        app = open_page(app, "runs", run=run_id)
    finally:
        over.set()
        training.join()
    assert charts(app)


def test_a_link_to_a_run_that_is_gone_says_so_and_shows_the_others(app, store):
    done(store)
    app = open_page(app, "runs", run="nosuchid")
    assert "1 run, 0 selected" in words(app)
    assert "nosuchid cannot be shown here" in app.warning[0].value


def test_a_failed_run_says_why_and_can_be_retried(app, store):
    run_id = failed(store, "The image x.jpg is truncated; remove it.")
    app = open_page(app, "runs", run=run_id)
    assert [error.value for error in app.error] == ["The image x.jpg is truncated; remove it."]
    next(button for button in app.button if button.label == "Resume or retry").click().run()
    assert store.get(run_id).status == "queued"


def test_a_running_run_shows_where_it_stands_and_can_be_cancelled(app, store):
    run_id, _ = running(store, name="live")
    store.record(run_id, Progress("phase_a", 2, 5, 3, 40, 1.234, 0.1, 812.4, 250))
    app = open_page(app, "runs", run=run_id)
    assert app.progress[0].text == (
        f"**live · {run_id}** on cpu: Phase A · epoch 2 of 5 · step 3 of 40 · loss 1.23 · 812 images/s"
        " · 4 min 10 s left in this phase"
    )
    app.button(key=f"cancel_{run_id}").click().run()
    assert store.get(run_id).cancel_requested
    assert app.button(key=f"cancel_{run_id}").disabled


def test_the_log_begins_with_the_latest_and_tells_the_runs_apart(app, store):
    first, (second, _) = done(store, name="first"), running(store, name="second")
    store.record(second, Notice("Later."))
    app = open_page(app, "runs", run=[first, second])
    assert [line.split("  ")[1] for line in app.code[0].value.splitlines()] == ["Later.", "The micro-batch was halved."]
    app.selectbox(key="log_of").set_value(first).run()
    assert "Later." not in app.code[0].value and "halved" in app.code[0].value


def test_a_run_gets_a_name_tags_and_a_note(app, store):
    run_id = done(store, name="first")
    app = open_page(app, "runs", run=run_id)
    app.text_input(key=f"name_{run_id}").set_value("better")
    app.text_input(key=f"tags_{run_id}").set_value("a, b, a,")
    app.text_area(key=f"notes_{run_id}").set_value("Look at the tail.")
    next(button for button in app.button if button.label == "Save").click().run()
    assert not app.exception
    run = store.get(run_id)
    assert (run.name, run.tags, run.notes) == ("better", ("a", "b"), "Look at the tail.")
    assert "Look at the tail." in words(app)


def test_a_run_is_cloned_into_the_form(app, store):
    run_id = done(store, phase_b={"residual_factor": 0.7})
    app = open_page(app, "runs", run=run_id)
    next(button for button in app.button if button.label == "Clone").click().run()
    assert not app.exception
    assert app.slider(key="form.phase_b.residual_factor").value == 0.7


def test_deletion_can_be_undone(app, store):
    run_id = done(store)
    app = open_page(app, "runs", run=run_id)
    next(button for button in app.button if button.label == "Delete").click().run()
    assert store.get(run_id).deleted and "Deleted 1 run" in words(app) and not app.warning
    next(button for button in app.button if button.label == "Undo").click().run()
    assert store.get(run_id).deleted is None


def test_filters_narrow_the_table(app, store):
    done(store, name="alpha")
    failed(store, "No.", name="beta")
    app = open_page(app, "runs")
    app.text_input(key="q").set_value("ALPHA").run()
    assert app.dataframe[0].value["name"].tolist() == ["alpha"]
    app.text_input(key="q").set_value("").run()
    app.multiselect(key="status").set_value(["failed"]).run()
    assert app.dataframe[0].value["name"].tolist() == ["beta"]
    store.resume(*app.dataframe[0].value["id"])
    assert app.run().dataframe[0].value.empty


def test_pages_and_figures_load_no_heavy_library():
    program = (
        "import sys; import dashboard.ui.charts, dashboard.routes, dashboard.views.runs.run_table,"
        " dashboard.views.runs.run_actions, dashboard.reading.machine, dashboard.ui.downloads, dashboard.exports.pack,"
        " ballad.work.jobs;"
        "print([name for name in ('torch', 'open_clip', 'sklearn', 'umap', 'kaleido') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
