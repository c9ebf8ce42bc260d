"""A stage key changes if and only if a setting can change a number: for every setting, under every schedule."""

import pytest

from ballad.experiment import Experiment, setting_names
from ballad.heads import HEADS
from ballad.schedules import SCHEDULES
from ballad.stages import stage_store
from ballad.stages.plan import Plan
from tests.heads.toy import Toy

NONE: set[str] = set()
ALL = set(SCHEDULES)
TOWERS = {"finetune", "joint", "decoupled"}
PHASE_B = {"zero_shot_adapter", "decoupled"}
HEAD = PHASE_B | {"joint"}
TRAINED = TOWERS | PHASE_B
FINGERPRINT = NONE
"""Settings that reach the stages through the fingerprint of the dataset or the backbone, which are fixed here."""

BASE = {"phase_a.sampler": "square_root"}  # what it draws depends on images_per_draw as well
EXPECTED = {
    "name": ("other", NONE),
    "notes": ("other", NONE),
    "budget": ("quick", NONE),
    "seed": (1, TRAINED),
    "dataset.source": ("/other", FINGERPRINT),
    "dataset.imbalance_ratio": (50, FINGERPRINT),
    "dataset.imbalance_profile": ("pareto", FINGERPRINT),
    "dataset.shot_groups": ("rho100", FINGERPRINT),
    "dataset.validation_per_class": (2, FINGERPRINT),
    "dataset.test_per_class": (2, FINGERPRINT),
    "dataset.classes": (5, FINGERPRINT),
    "dataset.split_seed": (1, FINGERPRINT),
    "dataset.shorter_side": (64, FINGERPRINT),
    "dataset.skip_unreadable": (True, FINGERPRINT),
    "backbone.name": ("RN50", FINGERPRINT),
    "backbone.pretrained": ("yfcc15m", FINGERPRINT),
    "backbone.trust_torchscript": (True, NONE),
    "backbone.image_tower": ("random", ALL),
    "backbone.text_tower": ("random", ALL),
    "backbone.image_size": (64, ALL),
    "backbone.temperature": (0.5, ALL),
    "prompts.kind": ("ensemble", ALL),
    "prompts.templates": (["a {}"], ALL),
    "phase_a.epochs": (3, TOWERS),
    "phase_a.learning_rate": (0.1, TOWERS),
    "phase_a.tuned": ("image", TOWERS),
    "phase_a.sampler": ("mix_balanced", TOWERS),
    "phase_a.objective": ("symmetric", TOWERS),
    "phase_a.batch_size": (7, TOWERS),
    "phase_a.micro_batch": (7, NONE),
    "phase_a.augmentation": ("none", TOWERS),
    "phase_a.precision": ("bf16", TOWERS),
    "phase_a.images_per_draw": (4, TOWERS),
    "phase_a.drop_last": (True, TOWERS),
    "phase_a.selection": ("best", TOWERS),
    "phase_a.interpolation": (0.5, TOWERS - {"joint"}),
    "phase_b.method": ("toy", HEAD),
    "phase_b.options": ({"tau": 0.5}, HEAD),
    "phase_b.epochs": (3, PHASE_B),
    "phase_b.learning_rate": (0.1, HEAD),
    "phase_b.sampler": ("square_root", PHASE_B),
    "phase_b.batch_size": (7, PHASE_B),
    "phase_b.placement": ("both", HEAD),
    "phase_b.residual_factor": (0.9, HEAD),
    "phase_b.activation": ("none", HEAD),
    "phase_b.bias": (False, HEAD),
    "phase_b.features": ("exact", PHASE_B),
    "phase_b.views": (4, PHASE_B),
    "phase_b.augmentation": ("crop_flip_jitter", NONE),  # of the plain views, of which alone there are some
    "phase_b.images_per_draw": (4, PHASE_B),
    "phase_b.drop_last": (True, PHASE_B),
    "phase_b.selection": ("best", PHASE_B),
    "phase_b.adjustment": (0.5, PHASE_B),
    "phase_b.search": ("grid", PHASE_B),
    "phase_b.seed": (5, HEAD),
    "optimizer.momentum": (0.5, TRAINED),
    "optimizer.weight_decay": (0.1, TRAINED),
    "optimizer.cosine_by": ("epoch", TRAINED),
    "runtime.device": ("cpu", NONE),
    "runtime.workers": (3, NONE),
    "runtime.compile": (True, NONE),
    "runtime.keep_towers": (True, NONE),
}
"""Another value of each setting, and the schedules under which it can change a number."""
NEEDS = {
    "prompts.templates": {"prompts.kind": "custom", "prompts.templates": ["the {}"]},
    "phase_b.options": {"phase_b.method": "toy"},
}
OF_BALLAD = ("placement", "residual_factor", "activation", "bias")


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    monkeypatch.setitem(HEADS, "toy", Toy)


def stage_keys(values) -> list[str]:
    plan = Plan(Experiment().with_values(values), dataset="0" * 16, backbone="1" * 16, has_validation=True)
    return sorted(stage.key for stage in plan.stages())


def test_no_setting_is_forgotten():
    assert set(EXPECTED) == set(setting_names()) - {"schedule"}


@pytest.mark.parametrize("setting", EXPECTED)
def test_a_key_changes_exactly_where_a_number_can(setting):
    value, expected = EXPECTED[setting]
    changing = set()
    for schedule in SCHEDULES:
        base = {**BASE, "schedule": schedule, **NEEDS.get(setting, {})}
        if stage_keys(base) != stage_keys({**base, setting: value}):
            changing.add(schedule)
    assert changing == expected


@pytest.mark.parametrize("setting", [name for name, (_, where) in EXPECTED.items() if where is not NONE])
def test_the_runs_key_changes_where_a_stage_does(setting):
    value, expected = EXPECTED[setting]
    for schedule in expected:
        base = {**BASE, "schedule": schedule, **NEEDS.get(setting, {})}
        assert Experiment().with_values(base).key != Experiment().with_values({**base, setting: value}).key


@pytest.mark.parametrize("base", [{"phase_b.views": 4}, {"phase_b.features": "exact"}])
def test_the_augmentation_of_phase_b_counts_where_there_are_augmented_views(base):
    assert stage_keys(base) != stage_keys({**base, "phase_b.augmentation": "crop_flip_jitter"})


@pytest.mark.parametrize("name", OF_BALLAD)
def test_ballads_options_count_for_no_other_method(name):
    base = {"phase_b.method": "toy"}
    assert stage_keys(base) == stage_keys({**base, f"phase_b.{name}": EXPECTED[f"phase_b.{name}"][0]})


@pytest.mark.parametrize(
    ("name", "counts"),
    [("epochs", False), ("learning_rate", False), ("sampler", False), ("batch_size", False), ("views", True)],
)
def test_a_method_without_steps_depends_on_no_setting_of_steps(monkeypatch, name, counts):
    monkeypatch.setattr(Toy, "learns", False)
    base = {"phase_b.method": "toy", "schedule": "zero_shot_adapter"}
    changed = stage_keys({**base, f"phase_b.{name}": EXPECTED[f"phase_b.{name}"][0]})
    assert (changed != stage_keys(base)) is counts
    assert stage_keys({**base, "optimizer.momentum": 0.1}) == stage_keys(base)


@pytest.mark.parametrize("kind", ["towers", "class_text", "features", "views", "adapter", "evaluation"])
def test_a_raised_stage_version_changes_the_stage_and_what_follows(monkeypatch, kind):
    def keys() -> dict[tuple[str, int], str]:
        plan = Plan(Experiment().with_values({"phase_b.views": 2}), "0" * 16, "1" * 16, has_validation=True)
        return {(stage.kind, place): stage.key for place, stage in enumerate(plan.stages())}

    before = keys()
    monkeypatch.setitem(stage_store.STAGE_VERSIONS, kind, stage_store.STAGE_VERSIONS[kind] + 1)
    after = keys()
    changed = {of for of, _ in before if before[of, _] != after[of, _]}
    assert {kind, "evaluation"} <= changed
    assert all(before[at] != after[at] for at in before if at[0] == kind)
