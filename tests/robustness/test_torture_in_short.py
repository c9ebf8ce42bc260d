"""A second or two of each harness in :mod:`tests.torture`, whose long form is ``make torture``."""

import random
import shutil
from pathlib import Path

import pytest

from ballad import api
from ballad.experiment import Experiment
from tests.helpers.tiny_experiment import tiny_experiment
from tests.torture import not_finite
from tests.torture.kills import Prune, kill_at_random
from tests.torture.odd_checkpoints import try_checkpoints
from tests.torture.odd_pictures import odd_pictures, try_pictures
from tests.torture.odd_settings import fuzz_settings
from tests.torture.tampering import tamper


@pytest.fixture(scope="module")
def experiment(tiny_images: Path, tiny_backbone: Path) -> Experiment:
    return tiny_experiment(tiny_images, tiny_backbone)


@pytest.fixture(scope="module")
def one_run(experiment: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("one-run")
    api.run(experiment, home=home)
    return home


def test_a_killed_prune_loses_nothing(tmp_path: Path, experiment: Experiment, one_run: Path) -> None:
    two_runs = shutil.copytree(one_run, tmp_path / "two runs")
    api.run(experiment.with_values({"phase_b.residual_factor": 0.5}), home=two_runs)
    kill_at_random(Prune(two_runs), tmp_path / "homes", 2, random.Random(0))


def test_changed_files_give_the_right_numbers_or_a_sentence(
    tmp_path: Path, experiment: Experiment, one_run: Path
) -> None:
    other = experiment.with_values({"phase_b.residual_factor": 0.7})
    expected = api.run(other, home=tmp_path / "undisturbed").accuracies
    assert tamper(one_run, tmp_path / "copies", other, expected, 3)["right"]


def test_odd_settings(tmp_path: Path) -> None:
    assert fuzz_settings(tmp_path, 40)


def test_odd_pictures(tmp_path: Path) -> None:
    figures = try_pictures(tmp_path, odd_pictures(140))
    assert min(figures.values()) > 20


def test_odd_checkpoints(tmp_path: Path, tiny_backbone: Path) -> None:
    assert min(try_checkpoints(tmp_path, tiny_backbone, 8).values()) > 2


def test_numbers_that_are_none(tmp_path: Path, experiment: Experiment, tiny_images: Path) -> None:
    assert not_finite.inject_into_settings(tmp_path) > 100
    assert not_finite.inject_into_weights(tmp_path, experiment, every=12) > 2
    assert not_finite.inject_into_tables(tmp_path, tiny_images) > 5
