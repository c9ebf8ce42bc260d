"""New experiment as readers meet it: fill, see, launch, link, clone."""

import json
import shutil

import pytest
from streamlit.testing.v1 import AppTest

from ballad.data.catalog import load_dataset
from ballad.events import CancelToken, ignore
from ballad.experiment import Experiment
from ballad.model.fingerprint import backbone_fingerprint
from ballad.sections import DatasetSettings
from ballad.stages.plan import Plan
from ballad.stages.stage_store import StageStore
from ballad.store.run_store import RunStore
from dashboard.forms.draft import default_experiment
from tests.helpers.shown import PATIENCE_S, page_opener
from tests.helpers.stored_runs import done

open_page = page_opener("new_experiment")


def words(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption, *app.error, *app.warning])


def entry(app: AppTest, kind: str, path: str):
    return getattr(app, kind)(key=f"form.{path}")


def choose(app: AppTest, kind: str, path: str, value) -> AppTest:
    app = entry(app, kind, path).set_value(value).run()
    assert not app.exception
    return app


def button(app: AppTest, label: str):
    return next(button for button in app.button if button.label == label)


def codes(app: AppTest) -> list[str]:
    return [code.value for code in app.code]


def test_an_empty_store_offers_the_demo_at_its_defaults(app: AppTest, store: RunStore):
    app = open_page(app)
    assert not app.error and not app.warning
    command, _, as_json = codes(app)
    assert command == "python -m ballad run"
    assert Experiment.parse(json.loads(as_json)) == default_experiment()
    assert "12 of 12" in words(app) and "not yet measured" in words(app)
    assert "60 classes" in words(app)


def test_launching_queues_the_run_and_leads_to_it(app: AppTest, store: RunStore):
    app = choose(open_page(app), "slider", "phase_b.residual_factor", 0.35)
    app = choose(app, "selectbox", "executor", "process")
    app = button(app, "Launch 1 run").click().run()
    (run,) = store.queued()
    assert run.experiment.phase_b.residual_factor == 0.35 and run.executor == "process"
    assert app.query_params["run"] == run.id


def test_several_seeds_are_queued_as_one_group(app: AppTest, store: RunStore):
    app = choose(open_page(app), "text_input", "seeds", "0-2")
    assert "--grid seed=0,1,2" in codes(app)[0]
    button(app, "Launch 3 runs").click().run()
    runs = store.queued()
    assert sorted(run.experiment.seed for run in runs) == [0, 1, 2]
    assert len({run.group_id for run in runs}) == 1


def test_stages_that_are_there_are_told_apart(app: AppTest, store: RunStore):
    experiment = default_experiment()
    dataset = load_dataset(DatasetSettings())
    plan = Plan(experiment, dataset.fingerprint, backbone_fingerprint(experiment.backbone), True)
    for stage in (plan.towers(), plan.class_text("phase_a")):
        StageStore(store.home).obtain(
            stage,
            lambda folder: (folder / "result").write_text("7"),
            device="cpu",
            on_event=ignore,
            cancel=CancelToken(),
        )
    app = open_page(app)
    assert "10 of 12" in words(app)
    table = next(frame.value for frame in app.dataframe if "stage" in frame.value)
    assert set(table.loc[table["state"] == "there", "stage"]) == {
        "Phase A: trained towers",
        "Class texts, trained towers",
    }


def test_what_does_not_apply_is_disabled_with_the_reason(app: AppTest):
    app = choose(open_page(app), "selectbox", "schedule", "finetune")
    factor = entry(app, "slider", "phase_b.residual_factor")
    assert factor.disabled and "there is no adapter" in factor.help and "there is no adapter" in words(app)
    assert not entry(app, "number_input", "phase_a.epochs").disabled
    app = choose(app, "selectbox", "schedule", "decoupled")
    assert not entry(app, "slider", "phase_b.residual_factor").disabled


def test_balancing_sets_both_samplers(app: AppTest):
    app = open_page(app)
    app = app.segmented_control(key="form_balancing").set_value("A+B").run()
    assert entry(app, "selectbox", "phase_a.sampler").value == "class_balanced"
    app = choose(app, "selectbox", "phase_b.sampler", "instance")
    assert app.segmented_control(key="form_balancing").value == "A"


def test_a_wrong_entry_is_one_sentence_and_cannot_be_launched(app: AppTest):
    app = choose(open_page(app), "text_input", "seeds", "many")
    assert [error.value for error in app.error] == [
        "Seeds: 'many' is not a whole number; write seeds as 0, 1, 2 or 0-4."
    ]
    assert not [button for button in app.button if button.label.startswith("Launch")]


def test_a_missing_dataset_says_what_to_do(app: AppTest, tmp_path, monkeypatch):
    monkeypatch.setenv("BALLAD_DATA", str(tmp_path))
    app = choose(open_page(app), "selectbox", "dataset.source", "imagenet-lt")
    assert any("ImageNet-LT" in error.value for error in app.error)
    assert button(app, "Launch 1 run").disabled
    assert entry(app, "number_input", "phase_a.epochs").value == 50


def test_own_images_are_named_below_a_data_root(app: AppTest, store: RunStore, tiny_images, monkeypatch):
    monkeypatch.setenv("BALLAD_DATA", str(tiny_images.parent))
    app = choose(open_page(app), "selectbox", "dataset.source", tiny_images.name)
    button(app, "Launch 1 run").click().run()
    (run,) = store.queued()
    assert run.experiment.dataset.source == str(tiny_images)


@pytest.mark.parametrize("typed", ["/etc", "../..", "a" * 400])
def test_a_typed_path_stays_inside_the_data_roots(app: AppTest, typed: str):
    app = open_page(app, set=[f"dataset.source={typed}"])
    (error,) = app.error
    assert "data root" in error.value
    assert not [button for button in app.button if button.label.startswith("Launch")]


@pytest.mark.parametrize("where", ["outside", "inside"])
def test_a_typed_backbone_lies_inside_the_data_roots(app: AppTest, tiny_backbone, tmp_path, monkeypatch, where: str):
    monkeypatch.setenv("BALLAD_DATA", str(tiny_backbone.parent if where == "inside" else tmp_path))
    weights = tiny_backbone / "open_clip_model.safetensors"
    for typed in (f"backbone.name={tiny_backbone}", f"backbone.pretrained={weights}"):
        errors = [error.value for error in open_page(app, set=[typed]).error]
        assert any("lies outside the data roots" in error for error in errors) == (where == "outside")


def test_a_page_opens_no_file_that_may_carry_code(app: AppTest, tmp_path, monkeypatch):
    monkeypatch.setenv("BALLAD_DATA", str(tmp_path))
    (tmp_path / "RN50.pt").write_bytes(b"")
    words = ["backbone.name=RN50", f"backbone.pretrained={tmp_path / 'RN50.pt'}", "backbone.trust_torchscript=true"]
    app = open_page(app, set=words)
    assert "start this experiment with the shell command" in app.error[0].value
    assert button(app, "Launch 1 run").disabled and "trust_torchscript=true" in codes(app)[0]


def test_an_error_names_the_entry_to_mend(app: AppTest, tiny_images, tmp_path, monkeypatch):
    shutil.copytree(tiny_images / "train", tmp_path / "root" / "flat")
    monkeypatch.setenv("BALLAD_DATA", str(tmp_path / "root"))
    app = choose(open_page(app), "selectbox", "dataset.source", "flat")
    assert app.error[0].value.endswith(
        "set “Test images per class” (dataset.test_per_class) to take one from training."
    )
    app = choose(app, "number_input", "dataset.test_per_class", 1)
    assert not app.error and not button(app, "Launch 1 run").disabled


def test_the_url_holds_the_form_and_opens_it_again(app: AppTest, store: RunStore):
    app = choose(open_page(app), "slider", "phase_b.residual_factor", 0.6)
    app = choose(app, "text_input", "seeds", "1, 2")
    link = {name: app.query_params[name] for name in ("set", "seeds")}
    again = AppTest.from_file(app._script_path, default_timeout=PATIENCE_S)
    again = open_page(again, **link)
    assert entry(again, "slider", "phase_b.residual_factor").value == 0.6
    assert entry(again, "text_input", "seeds").value == "1, 2"


def test_a_broken_link_says_so_and_shows_the_defaults(app: AppTest):
    app = open_page(app, set=["phase_b.residual_fctor=0.6"])
    assert "There is no setting 'phase_b.residual_fctor'" in words(app)
    assert entry(app, "slider", "phase_b.residual_factor").value == 0.2


def test_a_run_is_cloned_by_link(app: AppTest, store: RunStore):
    run_id = done(store, phase_b={"residual_factor": 0.7, "placement": "both"}, seed=5, name="first")
    app = open_page(app, clone=run_id)
    assert Experiment.parse(json.loads(codes(app)[2])).key == store.get(run_id).key
    assert "clone" not in app.query_params


def test_a_run_is_cloned_by_choice(app: AppTest, store: RunStore):
    run_id = done(store, schedule="joint", phase_a={"tuned": "image"})
    app = open_page(app)
    app.button(key="clone_run").click().run()
    assert not app.exception
    assert Experiment.parse(json.loads(codes(app)[2])).key == store.get(run_id).key


def test_recipes_and_rows_of_the_paper_fill_the_form(app: AppTest):
    app = open_page(app)
    app.button(key="recipe_released_code").click().run()
    assert entry(app, "selectbox", "phase_b.activation").value == "none"
    row = next(select for select in app.selectbox if select.label == "Table or figure")
    row.set_value("table6").run()
    next(select for select in app.selectbox if select.label == "Row").set_value("text").run()
    app.button(key="use_row").click().run()
    assert not app.exception
    assert entry(app, "selectbox", "phase_b.placement").value == "text"
    assert entry(app, "selectbox", "phase_b.activation").value == "none"


@pytest.mark.parametrize("path", ["name", "notes"])
def test_the_form_outlives_a_visit_elsewhere(app: AppTest, path: str):
    app = choose(open_page(app), "text_input", path, "mine")
    app = app.switch_page("../pages/home.py").run()
    app = app.switch_page("../pages/new_experiment.py").run()
    assert entry(app, "text_input", path).value == "mine"


def test_a_setting_that_does_nothing_is_named_beside_the_form(app: AppTest):
    app = open_page(app, set=["phase_a.epochs=1", "optimizer.cosine_by=epoch"])
    assert [warning.value.partition(";")[0] for warning in app.warning] == [
        "“Epochs of Phase A” (phase_a.epochs) = 1 trains nothing: with “Learning rate falls by” (optimizer.cosine_by) "
        "= epoch the last epoch has a learning rate of 0, and this is the only epoch"
    ]
