"""The paper's effects on the demo, with the demo's own settings and one seed; over seeds 0 to 2 they vary little."""

import pandas as pd
import pytest

from ballad.data.demo.settings import DEMO_SETTINGS
from ballad.events import CancelToken, ignore
from ballad.experiment import Experiment
from ballad.stages.pipeline import run_experiment

# A run of the whole method: a minute of work, but machines differ.
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def accuracies(tmp_path_factory) -> pd.DataFrame:
    """Test accuracy in percent: one row per model, one column per shot group."""
    home = tmp_path_factory.mktemp("home")
    result = run_experiment(
        Experiment().with_values({**DEMO_SETTINGS, "seed": 1}),
        home=home,
        run_dir=home / "run",
        device="cpu",
        on_event=ignore,
        cancel=CancelToken(),
    )
    return pd.DataFrame({model: splits["test"] for model, splits in result["accuracies"].items()}).T


def test_phase_a_lifts_head_classes_and_leaves_tail_classes_behind(accuracies):
    zero_shot, phase_a = accuracies.loc["zero_shot"], accuracies.loc["phase_a"]
    assert phase_a["many"] > zero_shot["many"] + 20
    assert phase_a["many"] > phase_a["medium"] + 10 > phase_a["few"] + 20
    assert phase_a["many"] < 95


def test_phase_b_lifts_few_shot_classes_at_a_small_cost_to_many_shot_classes(accuracies):
    # Over seeds 0 to 2, few-shot classes gained 11 to 16 points and many-shot classes lost 4 to 6.
    phase_a, ballad = accuracies.loc["phase_a"], accuracies.loc["ballad"]
    assert ballad["few"] >= phase_a["few"] + 10
    assert ballad["many"] >= phase_a["many"] - 7
    assert ballad["all"] > phase_a["all"]
