import pytest

from ballad.experiment import Experiment
from ballad.schedules import SCHEDULES


@pytest.mark.parametrize(
    ("schedule", "models", "without", "with_phase_b"),
    [
        ("zero_shot", ["zero_shot"], "zero_shot", "zero_shot_adapter"),
        ("zero_shot_adapter", ["zero_shot", "ballad"], "zero_shot", "zero_shot_adapter"),
        ("finetune", ["zero_shot", "phase_a"], "finetune", "decoupled"),
        ("joint", ["zero_shot", "joint"], "joint", None),
        ("decoupled", ["zero_shot", "phase_a", "ballad"], "finetune", "decoupled"),
    ],
)
def test_what_a_schedule_yields_and_its_neighbours(schedule, models, without, with_phase_b):
    training = SCHEDULES[schedule]
    assert training.models("ballad") == models
    assert training.without_phase_b.name == without
    assert (training.with_phase_b and training.with_phase_b.name) == with_phase_b


def test_every_schedule_can_be_cut_after_each_of_its_models():
    decoupled = Experiment(schedule="decoupled")
    assert [decoupled.up_to(model).schedule for model in decoupled.models] == ["zero_shot", "finetune", "decoupled"]
    adapter = Experiment(schedule="zero_shot_adapter")
    assert [adapter.up_to(model).schedule for model in adapter.models] == ["zero_shot", "zero_shot_adapter"]


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_a_schedule_says_why_settings_have_no_effect_exactly_where_they_have_none(schedule):
    assert bool(schedule.no_towers) is not schedule.trains_towers
    assert bool(schedule.no_head) is not schedule.trains_head
    assert set(schedule.unused_sections) == {
        section
        for section, used in (
            ("phase_a", schedule.trains_towers),
            ("phase_b", schedule.trains_head),
            ("optimizer", schedule.phases != ()),
        )
        if not used
    }
