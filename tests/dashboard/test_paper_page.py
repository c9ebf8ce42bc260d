"""The page Paper: launching tables, and reading one's own numbers beside the published ones."""

import io
import re
import shutil
import subprocess
import zipfile

import numpy as np
import pandas as pd
import pytest

from ballad import api
from ballad.errors import SettingsError
from ballad.events import Evaluated
from ballad.experiment import Experiment
from ballad.home import run_dir
from ballad.paper.ablations import Ablation, queue_ablation
from ballad.paper.counterparts import rivals
from ballad.paper.presets import PRESETS
from ballad.stages.projections import ProjectionRequest
from ballad.store import queries
from ballad.store.owners import Owner
from ballad.sweeps import queue_sweep
from dashboard.ui.tasks import open_tasks
from dashboard.views.paper.paper_report import (
    latest_launches,
    part_of,
    part_of_sweep,
    report_pack,
    report_page,
    report_parts,
)
from dashboard.views.paper.paper_request import PaperRequest
from dashboard.views.paper.paper_results import ablations, dots, published_residual_points, result_table
from tests.helpers.finished_group import finish_group
from tests.helpers.shown import charts, page_opener, tables
from tests.helpers.tasks_done import work_on_tasks
from tests.helpers.tiny_experiment import tiny_experiment

open_page = page_opener("paper")


@pytest.fixture
def where_to_balance(store, tiny_images) -> str:
    """Table 7 with two seeds: B gets all 16 pictures right, the others 15 and 14."""
    base = Experiment().with_values({"dataset.source": str(tiny_images), "budget": "tiny"})
    group_id = queue_ablation(store, PRESETS["table7"], base, 2)

    def wrong_of(experiment):
        only_b = (experiment.phase_a.sampler, experiment.phase_b.sampler) == ("instance", "class_balanced")
        return 0 if only_b else 1 + experiment.seed

    finish_group(store, group_id, wrong_of)
    return group_id


@pytest.fixture(autouse=True)
def roots(tiny_images, monkeypatch) -> None:
    monkeypatch.setenv("BALLAD_DATA", str(tiny_images.parent))


def words(app) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


def press(app, label: str):
    next(button for button in app.button if button.label.startswith(label)).click().run()
    assert not app.exception
    return app


def test_an_empty_store_shows_every_table_as_a_card_and_the_published_numbers(app, tiny_images):
    app = open_page(app, dataset=tiny_images.name)
    assert any("Checklist: 0 of 14" in each.label for each in app.expander)
    assert {f"run_{name}" for name in PRESETS} < {button.key for button in app.button if not button.disabled}
    assert [each.value for each in app.markdown].count(":gray-badge[not run]") == 14
    assert f"‘Run’ uses the conditions chosen above: {tiny_images.name}, demo, budget full, 3 seeds." in words(app)
    # Table 5: zero-shot has 4 stages for all seeds, 9 trainings 5 each; a tuned text tower leaves images as they were.
    assert "12 runs with 9 trainings of the towers. 0 of 43 stages done already." in words(app)
    assert not app.get("download_button") or not any("Report" in each.label for each in app.get("download_button"))
    assert [name.split(":")[0] for name in app.multiselect(key="tables").options] == [
        preset.place for preset in PRESETS.values()
    ]
    assert len(tables(app)["The published numbers"]) == 103
    assert "61.6 in Table 4" in words(app)


def test_all_run_with_the_budget_chosen_above_and_then_those_that_remain(app, store, tiny_images):
    app = open_page(app, dataset=tiny_images.name)
    app.selectbox(key="budget").set_value("tiny")
    app.number_input(key="seeds").set_value(1).run()
    press(app, "Run all 14")
    definitions = queries.groups(store)["definition"]
    assert sorted(each["preset"] for each in definitions) == sorted(PRESETS)
    assert {(each["base"]["budget"], each["seeds"]) for each in definitions} == {("tiny", 1)}
    assert any("Checklist: 14 of 14" in each.label for each in app.expander)
    assert not any(button.key == "run_all" for button in app.button)
    # Under other conditions, none was run.
    app = open_page(app, launcher="true", seeds="2", budget="tiny", dataset=tiny_images.name)
    assert any(button.label == "Run all 14" for button in app.button)


def test_a_lambda_sweep_stands_in_for_figure_5(app, store, tiny_images):
    base = Experiment().with_values({"dataset.source": str(tiny_images)})
    sweep = queue_sweep(store, base, {"phase_b.residual_factor": [0.0, 0.2]}, name="sweep of mine")
    app = open_page(app, dataset=tiny_images.name)
    assert "done as a λ sweep" not in words(app)
    run_id, owner = store.group_ids(sweep)[0], Owner.new()
    assert store.claim(owner, "cpu", requests=["auto"], run_id=run_id)
    store.record(run_id, Evaluated("ballad", "test", dict.fromkeys(("many", "medium", "few", "all"), 50.0)))
    store.finish(run_id, owner, "done")
    app.run()
    assert "done as a λ sweep" in words(app) and "sweep of mine: 1 of 2 runs done." in words(app)
    (part,) = report_parts(store)
    assert (part.name, part.numbers["All"].tolist()) == ("figure5", ["50.0"])
    assert part.title == part_of_sweep(store, sweep).title == "Figure 5: the residual factor λ, from sweep of mine"


def test_one_button_queues_a_table_as_a_group(app, store, tiny_images):
    app = open_page(app, dataset=tiny_images.name)
    assert "12 runs with 6 trainings of the towers." in words(app)
    press(app, "Launch 12 runs")
    (group,) = queries.groups(store).to_dict("records")
    assert group["definition"]["preset"] == "table7" and group["runs"] == 12
    assert app.query_params["result"] == group["id"]
    assert "0 of 12 runs have ended" in app.progress[0].text


def test_several_tables_are_several_groups(app, store, tiny_images):
    app = open_page(
        app, dataset=tiny_images.name, tables=["Table 6: where the adapter sits", "Table 8: how to balance"]
    )
    press(app, "Launch")
    presets = [definition["preset"] for definition in queries.groups(store)["definition"]]
    assert sorted(presets) == ["table6", "table8"]


def test_a_dataset_that_is_not_there_is_said_instead_of_queued(app, store):
    app = open_page(app, dataset="imagenet-lt")
    assert "ImageNet-LT lacks" in app.error[0].value
    assert not any(button.label.startswith("Launch") for button in app.button)


def test_a_link_shows_own_numbers_beside_published_ones(app, where_to_balance):
    app = open_page(app, result=where_to_balance)
    table = tables(app)["Table 7, own and published"].set_index("Setting")
    assert table.index.tolist() == ["none", "A", "B", "A + B"]
    # 15 and 14 of 16 pictures are right: 93.75 and 87.5 %.
    assert table.loc["none", ["Seeds", "Many", "All", "Paper, all", "Difference, all"]].tolist() == [
        2,
        "–",
        "90.6 ± 4.4",
        "62.6",
        "+28.0",
    ]
    assert table.at["none", "Published in"] == "Table 7, ImageNet-LT, RN50 (another set-up)"
    assert table.loc["A", ["Paper, few", "Paper, all"]].tolist() == ["42.7", "63.3"]
    assert "Budget tiny" in app.warning[0].value
    assert "Accuracy of each setting by shot group, own and published" in charts(app)


def test_differences_are_counted_from_the_papers_choice(app, where_to_balance):
    app = open_page(app, result=where_to_balance)
    table = tables(app)["Differences with intervals"].set_index("Setting")
    assert table.index.tolist() == ["none", "A", "A + B"]
    assert table.at["none", "All"].startswith("−9.4 [")
    app.selectbox(key="baseline_table7").set_value("none").run()
    assert tables(app)["Differences with intervals"]["Setting"].tolist() == ["A", "B", "A + B"]


def test_a_folder_that_is_gone_ends_in_a_sentence(app, store, where_to_balance):
    (run_dir(store.home, store.group_ids(where_to_balance)[0]) / "result.json").unlink()
    app = open_page(app, result=where_to_balance)
    assert "There is no finished run" in app.error[0].value


def test_figure_5_is_drawn_against_lambda(app, store, tiny_images):
    base = Experiment().with_values({"dataset.source": str(tiny_images)})
    group_id = queue_ablation(store, PRESETS["figure5"], base, 1)
    finish_group(store, group_id, lambda experiment: round(10 * abs(experiment.phase_b.residual_factor - 0.2)))
    app = open_page(app, result=group_id)
    assert "Accuracy of each shot group against λ" in charts(app)
    assert tables(app)["Figure 5, own and published"]["Setting"].iloc[2] == "λ = 0.2"


def test_published_points_stand_only_beside_the_same_setup(store):
    for dataset, factors in (("imagenet-lt", [0.2]), ("demo", [])):
        base = Experiment().with_values({"dataset.source": dataset, "backbone.name": "RN50"})
        ablation = Ablation.read(store, queue_ablation(store, PRESETS["figure5"], base, 1))
        assert published_residual_points(ablation, ablation.table())["residual_factor"].tolist() == factors


def test_published_dots_follow_their_own_setting():
    table = pd.DataFrame(
        {
            "setting": ["a", "b"],
            "group": "all",
            "seeds": 1,
            "phases_a": 1,
            "mean": [50.0, 60.0],
            "sd": np.nan,
            "published": [55.0, np.nan],
        }
    )
    found = dots(table)
    assert found[["setting", "mean", "published"]].values.tolist() == [
        ["a", 50.0, False],
        ["a", 55.0, True],
        ["b", 60.0, False],
    ]


def test_a_table_without_published_numbers_has_no_columns_for_them():
    table = pd.DataFrame(
        {
            "setting": "a",
            "group": ["many", "medium", "few", "all"],
            "seeds": 1,
            "mean": [np.nan, 50, 40, 45],
            "sd": np.nan,
            "published": np.nan,
            "difference": np.nan,
            "published_source": "",
            "same_setup": False,
        }
    )
    assert result_table(table).values.tolist() == [["a", 1, "–", "50.0", "40.0", "45.0"]]
    assert list(result_table(table)) == ["Setting", "Seeds", "Many", "Medium", "Few", "All"]


def test_other_methods_stand_below_ones_own_rows():
    table = pd.DataFrame(
        {
            "setting": "RN50",
            "group": ["many", "medium", "few", "all"],
            "seeds": 1,
            "mean": 50.0,
            "sd": np.nan,
            "published": [46.7, 48.0, 42.7, 46.5],
            "difference": [3.3, 2.0, 7.3, 3.5],
            "published_source": "Table 2, Places-LT, RN50",
            "same_setup": True,
        }
    )
    shown = result_table(table, rivals("table2")).set_index("Setting")
    assert shown.index[:2].tolist() == ["RN50", "OLTR, ResNet-152"] and len(shown) == 9
    oltr = shown.loc["OLTR, ResNet-152", ["All", "Paper, few", "Paper, all", "Difference, all", "Published in"]]
    assert oltr.tolist() == ["–", "25.3", "35.9 †", "–", "Table 2, Places-LT (other backbone)"]


class TestRequest:
    def request(self, **changes) -> PaperRequest:
        asked = {"presets": (PRESETS["table8"],), "dataset": "cifar100-lt", "backbone": "RN50", "weights": None}
        return PaperRequest(**{**asked, "recipe": "released_code", "budget": "half", "seeds": 2, **changes})

    def test_recipe_and_budget_shape_the_base(self):
        base = self.request().conditions.base
        assert (base.phase_b.activation, base.phase_a.epochs, base.budget) == ("none", 25, "half")

    def test_the_command_asks_for_the_same(self):
        from ballad.cli import _parser
        from ballad.cli.settings import experiment_from

        request = self.request(weights="yfcc15m")
        (command,) = request.commands
        options = _parser().parse_args(command.removeprefix("python -m ballad ").split())
        assert experiment_from(options) == request.conditions.base and options.seeds == request.seeds

    def test_rows_of_several_tables_count_once(self):
        conditions = self.request().conditions
        # Table 6 adds text and both; image is Table 8's class-balanced row.
        both = conditions.experiments([PRESETS["table6"], PRESETS["table8"]])
        assert len(both) == len(conditions.experiments([PRESETS["table8"]])) + 2 * 2

    def test_weights_that_are_no_setting_of_the_budget_are_refused(self):
        with pytest.raises(SettingsError, match="no budget 'huge'"):
            _ = self.request(budget="huge").conditions


class TestReport:
    def test_a_page_holds_the_numbers_and_what_is_missing(self, app, store, where_to_balance, monkeypatch):
        monkeypatch.setattr("choreographer.browsers.Chromium.find_browser", lambda **_: None)  # pictures take seconds
        parts = report_parts(store)
        assert [part.name for part in parts] == ["table7"]
        page = report_page(parts).decode()
        assert "90.6 ± 4.4" in page and "62.6" in page and "Not run yet: Table 1," in page and "τ = 1" in page
        assert "src=" not in page and "needs Chromium" in page

    def test_the_zip_holds_a_document_and_all_that_it_takes(self, app, store, where_to_balance, monkeypatch):
        monkeypatch.setattr("choreographer.browsers.Chromium.find_browser", lambda **_: None)
        packed = zipfile.ZipFile(io.BytesIO(report_pack(report_parts(store))))
        main = packed.read("main.tex").decode()
        taken = re.findall(r"\\input\{(.+?)\}", main)
        assert taken == ["tables/table7.tex"] and set(taken) <= set(packed.namelist())
        assert {"report.html", "tables/table7.csv", "versions.txt"} <= set(packed.namelist())

    @pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX engine on this machine")
    def test_the_document_of_every_table_compiles(self, app, store, tiny_images, tmp_path, monkeypatch):
        monkeypatch.setattr("choreographer.browsers.Chromium.find_browser", lambda **_: None)
        base = Experiment().with_values({"dataset.source": str(tiny_images), "backbone.name": "models/a_b&c%"})
        for name in PRESETS:
            queue_ablation(store, PRESETS[name], base, 1)
        groups = latest_launches(ablations(queries.groups(store)))
        assert list(groups) == list(PRESETS)
        parts = [part_of(store, Ablation.read(store, group_id)) for group_id in groups.values()]
        assert "NA&gt;" not in report_page(parts).decode()  # rows of other methods have no seeds
        zipfile.ZipFile(io.BytesIO(report_pack(parts))).extractall(tmp_path)
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:]
        assert "Overfull" not in done.stdout  # nothing stands out of the page
        assert (tmp_path / "main.pdf").read_bytes().startswith(b"%PDF-")

    def test_figure_6_is_the_kept_map_of_two_runs_that_differ_in_the_schedule_alone(
        self, app, trained, tiny_images, tiny_backbone
    ):
        base = tiny_experiment(tiny_images, tiny_backbone)
        ablation = Ablation.read(trained, queue_ablation(trained, PRESETS["figure6"], base, 2))
        other_seed = tiny_experiment(tiny_images, tiny_backbone, schedule="joint", seed=1)
        ids = dict(queries.runs(trained, statuses=["done"])[["name", "id"]].itertuples(index=False))
        ids["other seed"] = api.run(other_seed, home=trained.home).id

        def panels() -> list[str]:
            figure = part_of(trained, ablation).figure
            return [" ".join(each.text.split("<br>")[:-3]) for each in figure.layout.annotations]

        def keep(*sides: tuple[str, str]) -> None:
            request = ProjectionRequest.model_validate({"sides": [{"run": ids[run], "model": of} for run, of in sides]})
            open_tasks().ask("projection", request.arguments())
            work_on_tasks(trained)

        keep(("decoupled", "zero_shot"), ("decoupled", "ballad"))
        keep(("other seed", "joint"), ("decoupled", "ballad"))
        assert not any("Joint of" in panel for panel in panels())
        keep(("joint", "joint"), ("decoupled", "ballad"))
        assert panels() == ["Joint of seed 0", "BALLAD of seed 0"]

    def test_the_latest_launch_of_each_counts(self, app, store, tiny_images, where_to_balance):
        base = Experiment().with_values({"dataset.source": str(tiny_images)})
        again = queue_ablation(store, PRESETS["table7"], base, 1)
        assert latest_launches(ablations(queries.groups(store))) == {"table7": again}


def test_a_card_runs_its_table_as_the_latest_launch_was_run(app, store, where_to_balance):
    app = open_page(app, result=where_to_balance, checklist="true")
    app.button(key="run_table8").click().run()
    assert not app.exception
    latest = queries.groups(store).iloc[0]["definition"]
    assert (latest["preset"], latest["seeds"], latest["base"]["budget"]) == ("table8", 2, "tiny")


def test_a_card_shows_the_launch_and_one_that_is_not_run_is_chosen(app, where_to_balance):
    app = open_page(app, result=where_to_balance, checklist="true")
    assert any("Checklist: 1 of 14" in each.label for each in app.expander)
    assert "6 runs with 2 trainings of the towers. 0 of 28 stages done already. Expected time: not yet" in words(app)
    assert any(each.label == "Export" for each in app.get("download_button"))
    app.button(key="choose_table3").click().run()
    assert not app.exception and app.multiselect(key="tables").value == ["table3"]
