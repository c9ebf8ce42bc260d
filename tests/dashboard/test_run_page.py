"""The page of one run, and the current run that all pages share."""

import pandas as pd
import pytest

from ballad.events import Progress
from ballad.stages.run_folder import RunFolder
from ballad.store import queries
from dashboard.views.run.outcome import gain_table, gains_of
from dashboard.views.runs.whole_run import _of_stages
from tests.helpers.shown import charts, page_opener, pictures, tables
from tests.helpers.stored_runs import done, failed, running

open_run = page_opener("run")
GAIN = "Accuracy of each model of the run by shot group"


def run_named(store, name: str) -> str:
    runs = queries.runs(store)
    return runs.loc[runs["name"] == name, "id"].iloc[0]


def words(app) -> str:
    return "\n".join(element.value for element in [*app.subheader, *app.markdown, *app.caption, *app.error])


def test_without_runs_the_page_says_how_to_get_one(app):
    assert "No runs yet" in words(open_run(app))


@pytest.mark.parametrize("page", ["run", "confusion", "leaderboard"])
def test_pages_that_have_nothing_to_show_have_the_machine_in_the_sidebar_all_the_same(app, page):
    app = page_opener(page)(app)
    assert [metric for metric in app.sidebar.metric if metric.value.endswith(" %")]


def test_a_finished_run_begins_with_what_it_gained(app, trained):
    run_id = run_named(trained, "decoupled")
    app = open_run(app, run=run_id)
    accuracy = queries.results(trained, [run_id], split="test").set_index("model")
    shown = {metric.label: metric for metric in app.metric if metric.label.startswith("BALLAD")}
    assert shown["BALLAD, all"].value == f"{accuracy.loc['ballad', 'all']:.1f} %"
    gain = accuracy.loc["ballad", "all"] - accuracy.loc["zero_shot", "all"]
    assert shown["BALLAD, all"].delta.startswith(f"{gain:+.1f} [")
    assert {trace["name"] for trace in charts(app)[GAIN]["data"] if trace.get("name")} == {
        "Zero-shot",
        "Phase A",
        "BALLAD",
    }


def test_the_numbers_of_the_gain_are_those_of_the_store(trained):
    run_id = run_named(trained, "decoupled")
    stored = queries.results(trained, [run_id], split="test").set_index("model")
    table = gain_table(run_id, ["zero_shot", "phase_a", "ballad"], "test").set_index(["model", "group"])
    for model, title in (("zero_shot", "Zero-shot"), ("phase_a", "Phase A"), ("ballad", "BALLAD")):
        for group in ("many", "medium", "few", "all"):
            assert table.loc[(title, group), "accuracy"] == pytest.approx(stored.loc[model, group], nan_ok=True)
    gains = gains_of(run_id, ["zero_shot", "phase_a", "ballad"], "test")
    assert gains.loc["few", "difference"] == pytest.approx(stored.loc["ballad", "few"] - stored.loc["zero_shot", "few"])


def test_a_model_gains_nothing_over_itself(trained):
    assert gains_of(run_named(trained, "decoupled"), ["zero_shot"], "test").empty


def test_pictures_that_training_fixed_are_those_that_only_the_final_model_has_right(app, trained):
    run_id = run_named(trained, "decoupled")
    app = open_run(app, run=run_id, part="Pictures", change="fixed")
    folder = RunFolder.of(trained.home, run_id)
    before, after = (folder.predictions(model, "test").correct for model in ("zero_shot", "ballad"))
    fixed = int((~before & after).sum())
    assert f"{fixed} picture" in words(app)
    assert pictures(app).count("<figure") == min(fixed, 12)


def test_classes_are_shown_before_and_after(app, trained):
    app = open_run(app, run=run_named(trained, "decoupled"), part="Classes")
    table = tables(app)["Accuracy of each class before and after training"]
    assert (table["change"] == table["after"] - table["before"]).all() and table["change"].is_monotonic_increasing


def test_stages_say_what_was_shared(app, trained):
    app = open_run(app, run=run_named(trained, "joint"), part="Stages and files")
    stages = tables(app)["The stages of the run"]
    assert stages["reused"].any() and not stages["reused"].all()


def test_a_training_run_shows_its_progress_and_can_be_stopped(app, store):
    run_id, _ = running(store, name="live")
    store.record(run_id, Progress("phase_a", 2, 5, 3, 40, 1.234, 0.1, 812.4, 250))
    app = open_run(app, run=run_id)
    assert app.progress[0].text.startswith(f"**live · {run_id}** on cpu: Phase A · epoch 2 of 5")
    app.button(key=f"cancel_{run_id}").click().run()
    assert store.get(run_id).cancel_requested


def test_a_failed_run_says_why(app, store):
    app = open_run(app, run=failed(store, "The image x.jpg is truncated; remove it."))
    assert "The image x.jpg is truncated; remove it." in words(app)


def test_a_link_to_a_run_that_is_gone_says_so(app, store):
    done(store)
    assert "nosuchid cannot be shown here" in open_run(app, run="nosuchid").warning[0].value


class TestCurrentRun:
    def test_it_goes_along_from_page_to_page(self, app, trained):
        first, second = run_named(trained, "decoupled"), run_named(trained, "joint")
        for run_id in (first, second):
            app = open_run(app, run=run_id)
            app = app.switch_page("../pages/confusion.py").run()
            assert not app.exception
            assert app.query_params["run"] == run_id and app.selectbox(key="current_run").value == run_id

    def test_the_sidebar_changes_it(self, app, trained):
        first, second = run_named(trained, "decoupled"), run_named(trained, "joint")
        app = page_opener("confusion")(app, run=first)
        app.selectbox(key="current_run").set_value(second).run()
        assert not app.exception and app.query_params["run"] == second
        assert {metric.label for metric in app.metric} >= {"Accuracy"}

    def test_a_page_with_a_choice_of_its_own_follows_too(self, app, trained):
        first, second = run_named(trained, "decoupled"), run_named(trained, "joint")
        app = page_opener("embeddings")(app, left=second, right=second)
        app.selectbox(key="current_run").set_value(first).run()
        assert app.selectbox(key="left").value == first

    def test_compare_keeps_its_runs(self, app, trained):
        both = [run_named(trained, "decoupled"), run_named(trained, "joint")]
        app = page_opener("compare")(app, run=both)
        app.selectbox(key="current_run").set_value(both[0]).run()
        assert app.multiselect(key="run").value == both

    def test_a_run_without_results_is_not_replaced_by_another(self, app, trained):
        waiting = failed(trained, "No.", name="broken")
        app = page_opener("confusion")(app, run=waiting)
        assert f"broken · {waiting} has no result yet" in words(app) and not charts(app)


class TestWholeRun:
    def stages(self, *rows) -> pd.DataFrame:
        columns = ["key", "started", "finished", "seconds", "reused"]
        table = pd.DataFrame(rows, columns=columns)
        for column in ("started", "finished"):
            table[column] = pd.to_datetime(table[column].astype(float), unit="s", utc=True)
        return table.astype({"reused": "boolean"}).set_index("key")

    def test_stages_count_by_what_they_cost(self):
        stages = self.stages(("a", 100, 130, 30.0, False), ("b", 130, None, None, None))
        whole = _of_stages({"a": 40.0, "b": 50.0, "c": 20.0}, stages, left_in_phase=float("nan"), now=140)
        # 30 s and 10 s done; 40 s of b and 20 s of c left.
        assert (whole.share, whole.seconds_left) == (0.4, 60.0)

    def test_what_was_shared_costs_nothing(self):
        stages = self.stages(("a", 100, 100, 0.0, True), ("b", 100, None, None, None))
        whole = _of_stages({"a": 1000.0, "b": 30.0}, stages, left_in_phase=float("nan"), now=110)
        assert (whole.share, whole.seconds_left) == (pytest.approx(1 / 3), 20.0)

    def test_a_phase_in_progress_knows_better_than_earlier_runs(self):
        stages = self.stages(("a", 100, None, None, None))
        for expected in (1000.0, None):
            whole = _of_stages({"a": expected}, stages, left_in_phase=15.0, now=115)
            assert (whole.share, whole.seconds_left) == (0.5, 15.0)

    def test_an_unknown_speed_ahead_leaves_the_whole_unknown(self):
        stages = self.stages(("a", 100, None, None, None))
        assert _of_stages({"a": 10.0, "b": None}, stages, left_in_phase=5.0, now=105) is None
