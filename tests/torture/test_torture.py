"""The long form, ``make torture``; :mod:`tests.robustness.test_torture_in_short` has a second or two of each."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from ballad import api
from ballad.experiment import Experiment
from tests.helpers.tiny_experiment import tiny_experiment
from tests.torture import not_finite
from tests.torture.kills import Projection, Prune, Runs, kill_at_random
from tests.torture.odd_checkpoints import try_checkpoints
from tests.torture.odd_pictures import odd_pictures, try_pictures
from tests.torture.odd_settings import fuzz_settings
from tests.torture.tampering import tamper

KILLS = {"runs": 80, "sweeps": 50, "prunes": 40, "tasks": 30}
CHANGES = 300
EXAMPLES = 5_000
PICTURES = 200

pytestmark = [pytest.mark.timeout(3600)]  # a machine may be busy
Tell = Callable[[str], None]


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """Have a line of figures printed at the end."""
    return lambda text: record_property("figures", text)


@pytest.fixture
def experiment(tiny_images: Path, tiny_backbone: Path) -> Experiment:
    return tiny_experiment(tiny_images, tiny_backbone)


@pytest.mark.parametrize("what", KILLS)
def test_killed_work_ends_with_the_numbers_of_undisturbed_work(
    tmp_path: Path, experiment: Experiment, what: str, tell: Tell
) -> None:
    sweep = [experiment.with_values({"phase_b.residual_factor": factor}) for factor in (0.2, 0.5, 0.8)]
    base = tmp_path / "base"
    match what:
        case "runs":
            work = Runs([experiment])
        case "sweeps":
            work = Runs(sweep)
        case "prunes":
            for each in (experiment, experiment.with_values({"seed": 1})):
                api.run(each, home=base)
            work = Prune(base)
        case "tasks":
            api.run(experiment, home=base)
            work = Projection(base)
    homes = kill_at_random(work, tmp_path / "homes", KILLS[what], random.Random(what))
    tell(f"kills of {what}: {KILLS[what]} in {homes} homes, nothing lost, every number equal")


def test_changed_files_give_the_right_numbers_or_a_sentence(tmp_path: Path, experiment: Experiment, tell: Tell) -> None:
    api.run(experiment, home=tmp_path / "home")
    other = experiment.with_values({"phase_b.residual_factor": 0.7})
    expected = api.run(other, home=tmp_path / "undisturbed").accuracies
    figures = tamper(tmp_path / "home", tmp_path / "copies", other, expected, CHANGES)
    tell(f"changed files: {CHANGES}, of which {dict(figures)}")


def test_odd_settings(tmp_path: Path, tell: Tell) -> None:
    accepted = fuzz_settings(tmp_path, EXAMPLES)
    tell(f"odd settings: {EXAMPLES}, of which {accepted} are experiments that keep their meaning, the rest sentences")


def test_odd_pictures(tmp_path: Path, tell: Tell) -> None:
    tell(f"odd pictures: {PICTURES}, {try_pictures(tmp_path, odd_pictures(PICTURES))}")


def test_odd_checkpoints(tmp_path: Path, tiny_backbone: Path, tell: Tell) -> None:
    tell(f"odd checkpoints: {try_checkpoints(tmp_path, tiny_backbone)}")


def test_numbers_that_are_none(tmp_path: Path, experiment: Experiment, tiny_images: Path, tell: Tell) -> None:
    figures = {
        "settings": not_finite.inject_into_settings(tmp_path),
        "weights": not_finite.inject_into_weights(tmp_path, experiment),
        "features and class texts": not_finite.inject_into_features(tmp_path, experiment),
        "rates": not_finite.inject_into_training(tmp_path, experiment),
        "tables": not_finite.inject_into_tables(tmp_path, tiny_images),
    }
    tell(f"NaN and infinity, places by kind: {figures}")
