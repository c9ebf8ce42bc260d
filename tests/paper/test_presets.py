import subprocess
import sys

import pytest

from ballad.errors import SettingsError
from ballad.experiment import Experiment
from ballad.paper.presets import PAPER_BACKBONES, PRESETS, find_preset, with_seeds
from ballad.stages.plan import Plan

BASE = Experiment().with_values({"dataset.source": "cifar100-lt", "backbone.name": "RN50"})
ROWS = {
    "table1": 4,
    "table2": 4,
    "table3": 4,
    "table4": 4,
    "table5": 4,
    "table6": 3,
    "table7": 4,
    "table8": 3,
    "table9": 8,
    "table10": 3,
    "figure3": 4,
    "figure4": 5,
    "figure5": 11,
    "figure6": 2,
}


def plan_of(experiment: Experiment) -> Plan:
    return Plan(experiment, "dataset", experiment.backbone.name, has_validation=True)


def towers_keys(name: str, base: Experiment = BASE) -> list[str | None]:
    stages = [plan_of(row.experiment).towers() for row in PRESETS[name].rows(base)]
    return [stage and stage.key for stage in stages]


def test_every_table_and_figure_is_there():
    assert list(PRESETS) == list(ROWS)


@pytest.mark.parametrize(("name", "number"), ROWS.items())
def test_rows_are_as_many_as_in_the_paper_and_all_different(name, number):
    rows = PRESETS[name].rows(BASE)
    assert len(rows) == number
    assert len({row.setting for row in rows}) == number
    assert len({plan_of(row.experiment).evaluation(row.model).key for row in rows}) == number


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_rows_read_a_model_that_their_run_evaluates(preset):
    for row in preset.rows(BASE):
        assert row.model in plan_of(row.experiment).models
        assert row.experiment.name == f"{preset.place}: {row.setting}"


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_rows_stay_on_the_base_set_and_budget(preset):
    base = BASE.with_values({"budget": "small", "phase_a.epochs": 3, "seed": 4, "runtime.device": "cpu"})
    for row in preset.rows(base):
        assert row.experiment.dataset == base.dataset
        assert (row.experiment.budget, row.experiment.phase_a.epochs, row.experiment.seed) == ("small", 3, 4)
        assert row.experiment.runtime.device == "cpu"


@pytest.mark.parametrize("preset", [preset for preset in PRESETS.values() if preset.baseline], ids=lambda p: p.name)
def test_the_baseline_is_what_the_base_itself_gives(preset):
    baseline = next(row for row in preset.rows(BASE) if row.setting == preset.baseline)
    own = plan_of(BASE).evaluation(baseline.model)
    assert plan_of(baseline.experiment).evaluation(baseline.model).key == own.key


@pytest.mark.parametrize("name", ["table6", "table8", "figure5"])
def test_what_concerns_phase_b_alone_trains_towers_once(name):
    assert len(set(towers_keys(name))) == 1


def test_where_to_balance_trains_towers_twice():
    none, a, b, both = towers_keys("table7")
    assert none == b and a == both and none != a


@pytest.mark.parametrize(("name", "number"), [("table4", 4), ("table10", 3)])
def test_what_concerns_phase_a_trains_towers_for_every_row(name, number):
    assert len(set(towers_keys(name))) == number


def test_which_towers_are_tuned_starts_from_none():
    none, *tuned = towers_keys("table5")
    assert none is None and len(set(tuned)) == 3


def test_schedules_share_phase_a_but_for_joint_training():
    zero_shot, zero_shot_adapter, finetuned, joint, decoupled = towers_keys("figure4")
    assert zero_shot is None and zero_shot_adapter is None
    assert finetuned == decoupled != joint


def test_all_tables_of_one_backbone_share_the_towers_of_the_base():
    base = BASE.with_values({"backbone.name": "demo"})
    keys = {key for name in PRESETS for key in towers_keys(name, base)}
    # The base; three with random towers, two with one tower tuned, one balanced, two prompts, one joint; no towers.
    assert len(keys) == 1 + 3 + 2 + 1 + 2 + 1 + 1


def test_tables_over_backbones_keep_to_one_that_is_not_the_papers():
    base = BASE.with_values({"backbone.name": "models/my-clip/"})
    for name in ("table1", "table9", "figure3"):
        rows = PRESETS[name].rows(base)
        assert {row.experiment.backbone for row in rows} == {base.backbone}
        assert all(row.setting.startswith("my-clip") for row in rows)


def test_other_backbones_do_not_take_over_the_weights_of_the_base():
    base = BASE.with_values({"backbone.pretrained": "weights/rn50.safetensors", "backbone.image_size": 160})
    backbones = [row.experiment.backbone for row in PRESETS["table1"].rows(base)]
    assert [backbone.name for backbone in backbones] == list(PAPER_BACKBONES)
    assert [backbone.pretrained for backbone in backbones] == ["weights/rn50.safetensors", None, None, None]
    assert [backbone.image_size for backbone in backbones] == [160, None, None, None]


def test_where_to_balance_uses_the_sampler_of_the_base():
    rows = PRESETS["table7"].rows(BASE.with_values({"phase_b.sampler": "square_root"}))
    samplers = [(row.experiment.phase_a.sampler, row.experiment.phase_b.sampler) for row in rows]
    assert samplers == [
        ("instance", "instance"),
        ("square_root", "instance"),
        ("instance", "square_root"),
        ("square_root", "square_root"),
    ]


def test_residual_factors_run_from_nothing_to_everything():
    factors = [row.experiment.phase_b.residual_factor for row in PRESETS["figure5"].rows(BASE)]
    assert factors == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]


def test_prompts_of_ones_own_give_way_to_the_papers():
    base = BASE.with_values({"prompts.kind": "custom", "prompts.templates": ["one {}."]})
    kinds = [row.experiment.prompts.kind for row in PRESETS["table10"].rows(base)]
    assert kinds == ["single", "random_single", "ensemble"]


def test_seeds_count_up_from_the_base():
    assert [each.seed for each in with_seeds(Experiment(seed=5), 3)] == [5, 6, 7]
    with pytest.raises(SettingsError, match="seeds = 0"):
        with_seeds(Experiment(), 0)


def test_an_unknown_table_is_named():
    with pytest.raises(SettingsError, match=r"no table or figure 'table11'; there are table1,.*figure6"):
        find_preset("table11")


def test_presets_do_not_load_torch():
    code = (
        "import sys, ballad.paper.presets, ballad.paper.recipes, ballad.paper.formats;assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
