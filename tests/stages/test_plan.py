import pytest

from ballad.experiment import Experiment
from ballad.stages.plan import Plan


def plan(**values) -> Plan:
    dotted = {name.replace("__", "."): value for name, value in values.items()}
    return Plan(Experiment().with_values(dotted), "dataset", "backbone", has_validation=True)


def keys(plan: Plan, kind: str) -> set[str]:
    return {stage.key for stage in plan.stages() if stage.kind == kind}


@pytest.mark.parametrize(
    ("schedule", "models", "kinds"),
    [
        ("zero_shot", ["zero_shot"], ["class_text", "evaluation", "features"]),
        ("zero_shot_adapter", ["zero_shot", "ballad"], ["adapter", "class_text", "evaluation", "features"]),
        ("finetune", ["zero_shot", "phase_a"], ["class_text", "evaluation", "features", "towers"]),
        ("joint", ["zero_shot", "joint"], ["class_text", "evaluation", "features", "towers"]),
        (
            "decoupled",
            ["zero_shot", "phase_a", "ballad"],
            ["adapter", "class_text", "evaluation", "features", "towers"],
        ),
    ],
)
def test_stages_of_each_schedule(schedule, models, kinds):
    chain = plan(schedule=schedule)
    assert chain.models == models
    assert sorted({stage.kind for stage in chain.stages()}) == kinds


@pytest.mark.parametrize(
    "change",
    [
        {"phase_b__residual_factor": 0.7},
        {"phase_b__sampler": "square_root"},
        {"phase_b__activation": "none"},
        {"phase_b__placement": "both"},
        {"phase_b__seed": 5},
        {"phase_b__epochs": 3},
    ],
)
def test_phase_b_settings_change_the_adapter_and_leave_towers_and_features(change):
    base, other = plan(), plan(**change)
    for kind in ("towers", "features", "class_text"):
        assert keys(base, kind) == keys(other, kind)
    assert keys(base, "adapter") != keys(other, "adapter")
    # Zero-shot and Phase A are the same models still.
    assert len(keys(base, "evaluation") & keys(other, "evaluation")) == 2


@pytest.mark.parametrize("change", [{"phase_a__epochs": 3}, {"phase_a__tuned": "image"}, {"seed": 1}])
def test_phase_a_settings_change_the_towers_and_what_follows(change):
    base, other = plan(), plan(**change)
    assert keys(base, "towers") != keys(other, "towers")
    assert keys(base, "adapter") != keys(other, "adapter")


def test_what_cannot_change_a_number_changes_no_stage():
    base, other = plan(), plan(name="x", notes="y", runtime__workers=4, runtime__device="cpu", phase_a__micro_batch=8)
    assert {stage.key for stage in base.stages()} == {stage.key for stage in other.stages()}


def test_finetune_and_decoupled_share_phase_a():
    assert keys(plan(schedule="finetune"), "towers") == keys(plan(), "towers")
    assert keys(plan(schedule="joint"), "towers") != keys(plan(), "towers")


def test_prompts_leave_untouched_image_features_alone():
    base, other = plan(schedule="zero_shot"), plan(schedule="zero_shot", prompts__kind="ensemble")
    assert keys(base, "features") == keys(other, "features")
    assert keys(base, "class_text") != keys(other, "class_text")


def test_tuning_the_text_tower_alone_keeps_the_images_features():
    chain = plan(phase_a__tuned="text")
    assert chain.features("phase_a", "test").key == chain.features("zero_shot", "test").key


def test_more_views_share_the_plain_ones():
    base, other = plan(), plan(phase_b__views=8)
    assert keys(base, "features") == keys(other, "features")
    assert keys(other, "views") and not keys(base, "views")


@pytest.mark.parametrize(
    ("change", "together"),
    [
        ({"phase_b__residual_factor": 0.9}, True),
        ({"phase_b__sampler": "instance"}, True),
        ({"phase_b__learning_rate": 0.1}, True),
        ({"phase_b__seed": 3}, True),
        ({"phase_b__placement": "text"}, False),
        ({"phase_b__epochs": 4}, False),
        ({"seed": 1}, False),
    ],
)
def test_which_adapters_train_together(change, together):
    assert (plan().shared_training() == plan(**change).shared_training()) is together


def test_a_plan_survives_the_disk(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(plan(phase_b__views=4).to_json())
    assert Plan.read(path) == plan(phase_b__views=4)
