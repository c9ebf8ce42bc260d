"""Keys that release 0.1 gave to runs and stages: a key that changes makes every stored result a stranger."""

import json
from pathlib import Path

import pytest

from ballad.experiment import Experiment
from ballad.stages.plan import Plan

KEYS = json.loads((Path(__file__).parent.parent / "fixtures" / "keys-0.1.json").read_text())
CHANGES = {
    "default": {},
    "views": {"phase_b.views": 4, "phase_b.augmentation": "crop_flip_jitter"},
    "exact": {"phase_b.features": "exact"},
    "form": {
        "phase_b.placement": "both",
        "phase_b.activation": "none",
        "phase_b.bias": False,
        "phase_b.residual_factor": 0.5,
        "phase_b.seed": 3,
        "seed": 7,
    },
    "text": {"phase_a.tuned": "text", "backbone.temperature": 0.01, "prompts.kind": "ensemble"},
}


@pytest.mark.parametrize("name", KEYS)
def test_the_run_and_its_stages_keep_their_keys(name):
    schedule, change = name.split("/")
    experiment = Experiment().with_values({"schedule": schedule, **CHANGES[change]})
    stages = Plan(experiment, dataset="0" * 16, backbone="1" * 16, has_validation=True).stages()
    assert [experiment.key, *(stage.key for stage in stages)] == KEYS[name]
