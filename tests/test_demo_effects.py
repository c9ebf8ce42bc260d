"""The paper's effects on the demo, with the demo's own settings, averaged over three seeds."""

from collections.abc import Mapping

import pandas as pd
import pytest

from ballad.data.demo.settings import DEMO_SETTINGS
from ballad.events import CancelToken
from ballad.experiment import Experiment
from ballad.stages.pipeline import run_experiment

# Three runs of the whole method: about two minutes on two cores, but machines differ.
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def accuracies(tmp_path_factory) -> pd.DataFrame:
    """Mean test accuracy over the seeds, in percent: one row per model, one column per shot group."""
    home = tmp_path_factory.mktemp("home")
    runs = [pd.DataFrame(_test_accuracies(seed, home)).T for seed in range(3)]
    return sum(runs) / len(runs)


def _test_accuracies(seed, home) -> Mapping[str, Mapping[str, float]]:
    experiment = Experiment().with_values({**DEMO_SETTINGS, "seed": seed})
    result = run_experiment(
        experiment,
        home=home,
        run_dir=home / f"seed-{seed}",
        device="cpu",
        on_event=lambda event: None,
        cancel=CancelToken(),
    )
    return {model: splits["test"] for model, splits in result["accuracies"].items()}


def test_phase_a_lifts_head_classes_and_leaves_tail_classes_behind(accuracies):
    zero_shot, phase_a = accuracies.loc["zero_shot"], accuracies.loc["phase_a"]
    assert phase_a["many"] > zero_shot["many"] + 20
    assert phase_a["many"] > phase_a["medium"] + 10 > phase_a["few"] + 20
    assert phase_a["many"] < 95


def test_phase_b_lifts_few_shot_classes_at_a_small_cost_to_many_shot_classes(accuracies):
    phase_a, ballad = accuracies.loc["phase_a"], accuracies.loc["ballad"]
    assert ballad["few"] >= phase_a["few"] + 10
    assert ballad["many"] >= phase_a["many"] - 7
    assert ballad["all"] > phase_a["all"]
