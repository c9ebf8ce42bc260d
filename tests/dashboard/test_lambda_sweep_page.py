"""λ sweep as readers meet it: without runs, launching, and with its results."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from ballad.events import Evaluated
from ballad.experiment import Experiment
from ballad.store import queries
from ballad.store.owners import Owner
from ballad.store.run_store import RunStore
from ballad.sweeps import queue_sweep
from dashboard.forms.lambda_grid import sweep_of
from dashboard.views.lambda_sweep.sweep_results import (
    chosen_on_validation,
    published_points,
    summary_table,
    sweep_points,
    sweeps,
)
from dashboard.views.paper.paper_report import report_parts
from tests.helpers.outdated import outdate
from tests.helpers.shown import page_opener
from tests.helpers.stored_runs import done

open_page = page_opener("lambda_sweep")
FACTORS, SEEDS = [0.0, 0.5, 1.0], [0, 1]


def words(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption, *app.error])


def button(app: AppTest, label: str):
    return next(button for button in app.button if button.label == label)


def queue(store: RunStore, base: Experiment, samplers=("class_balanced",)) -> str:
    return queue_sweep(store, *sweep_of(base, FACTORS, samplers, SEEDS, "adapter"), name="my sweep")


def finish(store: RunStore, run_id: str, status="done", splits=("val", "test")) -> None:
    """On validation λ = 0.5 is best over all images; a seed adds a point."""
    owner, experiment = Owner.new(), store.get(run_id).experiment
    assert store.claim(owner, "cpu", requests=["auto"], run_id=run_id)
    factor, seed = experiment.phase_b.residual_factor, experiment.adapter_seed
    for split in splits:
        accuracy = {"many": 80 - 10 * factor, "medium": None, "few": 40 + 20 * factor, "all": 70 - abs(factor - 0.5)}
        accuracy = {group: value if value is None else value + seed for group, value in accuracy.items()}
        store.record(run_id, Evaluated("phase_a", split, {**accuracy, "all": 99.0}))
        store.record(run_id, Evaluated("ballad", split, accuracy))
    store.finish(run_id, owner, status)


@pytest.fixture
def finished(store: RunStore) -> str:
    group = queue(store, Experiment(name="base"), ["class_balanced", "square_root"])
    for run_id in store.group_ids(group):
        finish(store, run_id)
    return group


def test_an_empty_store_says_where_to_begin(app: AppTest):
    app = open_page(app)
    assert "No run to sweep yet" in words(app) and not app.error


def test_a_sweep_is_launched_from_a_base_run(app: AppTest, store: RunStore):
    run_id = done(store, name="base", phase_a={"epochs": 3}, seed=4)
    app = open_page(app)
    app.text_input(key="factors").set_value("0, 0.5")
    app.multiselect(key="samplers").set_value(["class_balanced", "square_root"])
    app.text_input(key="seeds").set_value("0-2").run()
    # Three seeds of whole runs, until the reader asks for less.
    assert "12 runs. Phase A must be trained 3 times" in words(app)
    app.selectbox(key="seeds_of").set_value("adapter").run()
    assert "12 runs. Phase A must be trained 1 time" in words(app)
    button(app, "Launch 12 runs").click().run()
    assert not app.exception
    runs = store.queued()
    assert len(runs) == 12 and {run.experiment.seed for run in runs} == {4}
    assert {run.experiment.phase_a for run in runs} == {store.get(run_id).experiment.phase_a}
    assert app.query_params["sweep"] == runs[0].group_id
    assert "0 of 12 runs have ended" in app.progress[0].text


def test_a_wrong_list_is_one_sentence(app: AppTest, store: RunStore):
    done(store)
    app = open_page(app)
    app.text_input(key="factors").set_value("0, 2").run()
    assert [error.value for error in app.error] == ["λ = 2: the residual factor must be between 0 and 1."]


def test_joint_runs_are_no_base(app: AppTest, store: RunStore):
    done(store, schedule="joint")
    assert "No run to sweep yet" in words(open_page(app))


def test_results_show_a_panel_a_sampler_with_the_choice_on_validation(app: AppTest, store: RunStore, finished: str):
    app = open_page(app, sweep=finished)
    chart = json.loads(app.get("bidi_component")[0].proto.json)
    figure = json.loads(chart["figure"])
    texts = [annotation["text"] for annotation in figure["layout"]["annotations"]]
    assert {
        "class-balanced<br>(2 adapter seeds,<br>one Phase A)",
        "square-root<br>(2 adapter seeds,<br>one Phase A)",
    } <= set(texts)
    assert texts.count(" λ = 0.5 ") == 2
    table = app.dataframe[0].value
    row = table[(table["Sampler"] == "square-root") & (table["λ"] == 1.0)].iloc[0]
    # Seeds 0 and 1 differ by a point: mean 70.5, deviation 1 / √2.
    assert (row["Many"], row["Medium"], row["Seeds"]) == ("70.5 ± 0.7", "–", "2 adapter seeds, one Phase A")
    assert table.loc[table["Chosen on validation"] == "yes", "λ"].tolist() == [0.5, 0.5]


def test_stopped_runs_of_a_sweep_can_be_resumed(app: AppTest, store: RunStore):
    first, *others = store.group_ids(queue(store, Experiment()))
    finish(store, first, "failed")
    for run_id in others:
        finish(store, run_id)
    app = open_page(app)
    assert "1 run failed or stopped" in words(app)
    button(app, "Resume them").click().run()
    assert store.get(first).status == "queued"


def test_a_sweep_without_results_says_so(app: AppTest, store: RunStore):
    queue(store, Experiment())
    assert "Points appear as runs finish" in words(open_page(app))


def test_points_come_from_the_adapter_and_carry_its_seed(store: RunStore, finished: str):
    points = sweep_points(store, store.group_ids(finished))
    assert len(points) == 2 * 3 * 2 * 2 * 4
    assert set(points["seed"]) == {0, 1} and points["accuracy"].max() < 99
    chosen = chosen_on_validation(points)
    assert chosen.to_dict("records") == [
        {"sampler": "class_balanced", "residual_factor": 0.5},
        {"sampler": "square_root", "residual_factor": 0.5},
    ]
    no_validation = points[points["split"] == "test"]
    assert chosen_on_validation(no_validation).empty
    assert len(summary_table(no_validation, chosen_on_validation(no_validation))) == 6


def test_the_same_experiment_counts_once(store: RunStore):
    """Groups that were queued before grids were made distinct hold some twice."""
    base = Experiment().with_values({"phase_b.residual_factor": 0.5})
    _, run_ids = store.create_group("old", [base.with_values({"seed": seed}) for seed in (0, 0, 0, 3)])
    for run_id in run_ids:
        finish(store, run_id)
    points = sweep_points(store, run_ids)
    few = points[(points["split"] == "test") & (points["group"] == "few")]
    assert few["accuracy"].tolist() == [50.0, 53.0]
    table = summary_table(points[points["split"] == "test"], chosen_on_validation(points))
    assert table[["Seeds", "Few"]].values.tolist() == [["2 seeds, one Phase A each", "51.5 ± 2.1"]]


def test_other_settings_that_vary_are_not_averaged_away(store: RunStore):
    grid = {"phase_b.residual_factor": [0.5], "phase_b.placement": ["image", "both"], "phase_b.views": [1, 2]}
    run_ids = store.group_ids(queue_sweep(store, Experiment(), grid))
    for run_id in run_ids:
        finish(store, run_id)
    table = summary_table(sweep_points(store, run_ids), chosen_on_validation(sweep_points(store, run_ids)))
    assert sorted(table["Sampler"]) == [
        f"class-balanced, placement {placement}, views {views}" for placement in ("both", "image") for views in (1, 2)
    ]


def test_a_sweep_of_another_release_stands_alone(app: AppTest, store: RunStore, finished: str):
    definition = {"base": {"phase_a": {"learning_rate": None}}, "grid": {"phase_b.residual_factor": [0.5]}}
    store.database.connection().execute("UPDATE groups SET definition = ?", (json.dumps(definition),))
    for run_id in store.group_ids(finished):
        outdate(store, run_id)
    app = open_page(app, sweep=finished)
    assert len(app.dataframe[0].value) == 6
    # The one error is about a new sweep: none of these runs can be its base.
    assert [error.value.split("'")[:2] for error in app.error] == [["There is no setting ", "phase_b.gamma"]]


def test_without_a_validation_split_nothing_is_chosen(app: AppTest, store: RunStore):
    for run_id in store.group_ids(queue(store, Experiment())):
        finish(store, run_id, splits=["test"])
    app = open_page(app)
    assert "Without a validation split, no λ can be chosen" in words(app)
    assert app.segmented_control(key="split").options == ["Test"]


def test_a_link_to_a_sweep_that_is_gone_says_so(app: AppTest, store: RunStore, finished: str):
    app = open_page(app, sweep="nosuchid")
    assert "Sweep: nosuchid cannot be shown here" in app.warning[0].value
    assert app.query_params["sweep"] == finished


def test_only_groups_that_vary_the_factor_are_sweeps(store: RunStore):
    group = queue(store, Experiment())
    queue_sweep(store, Experiment(), {"seed": [0, 1]})
    assert sweeps(queries.groups(store))["id"].tolist() == [group]


def test_published_points_are_those_of_the_same_dataset_and_backbone():
    def paper_setup(backbone: str) -> Experiment:
        return Experiment().with_values({"dataset.source": "imagenet-lt", "backbone.name": backbone})

    points = published_points(paper_setup("RN50").model_dump(mode="json"))
    assert points.loc[points["residual_factor"] == 0.2, ["group", "accuracy"]].to_numpy().tolist() == [["all", 67.1]]
    assert published_points({}).empty


def test_a_finished_sweep_stands_in_for_figure_5_of_the_paper(app: AppTest, store: RunStore, finished: str):
    (part,) = report_parts(store)
    assert part.name == "figure5" and part.figure is not None
    assert sorted(set(part.numbers["λ"])) == sorted(
        {store.get(i).experiment.phase_b.residual_factor for i in store.group_ids(finished)}
    )
    assert "Chosen on validation" in part.latex


def test_without_an_adapter_there_is_no_spread_over_adapters(store: RunStore, finished: str):
    points = sweep_points(store, store.group_ids(finished))
    of_test = points[points["split"] == "test"].assign(accuracy=50.0)
    table = summary_table(of_test, chosen_on_validation(points)).set_index("λ")
    assert set(table.loc[0.0, "Few"]) == {"50.0"} and set(table.loc[0.5, "Few"]) == {"50.0 ± 0.0"}
    assert set(table["Seeds"]) == {"2 adapter seeds, one Phase A"}
    of_runs = of_test.assign(phase_a=of_test["seed"])
    assert set(summary_table(of_runs, chosen_on_validation(points)).set_index("λ").loc[0.0, "Few"]) == {"50.0 ± 0.0"}
