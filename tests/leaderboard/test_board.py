"""What a board reads from finished runs: accuracies, the cost of training, and which runs are missing."""

import math
import shutil

import pytest

from ballad.experiment import Experiment
from ballad.home import run_dir
from ballad.leaderboard.board import Board
from ballad.leaderboard.protocol import Leaderboard, queue_leaderboard
from ballad.stages.run_folder import RunFolder
from ballad.stages.stage_store import StageStore
from tests.helpers.finished_group import finish_group, finish_run

METHODS = ("ballad", "crt", "nearest_class_mean")


@pytest.fixture
def small(tiny_images) -> Leaderboard:
    base = Experiment().with_values({"dataset.source": str(tiny_images)})
    return Leaderboard(base, METHODS, "zero_shot", 2)


def wrong(experiment: Experiment) -> int:
    """BALLAD and the class means are right, cRT is wrong once, and once more with each seed."""
    return 1 + experiment.adapter_seed if experiment.phase_b.method == "crt" else 0


def test_accuracies_and_their_spread_on_test_and_validation(store, small):
    group_id = queue_leaderboard(store, small)
    finish_group(store, group_id, wrong)
    rows = {row.name: row for row in Board.read(store, group_id).rows()}
    assert list(rows) == ["zero_shot", *METHODS]
    # 15 and 14 of 16 test images, 11 and 10 of 12 validation images.
    assert rows["crt"].measured["all"].mean == pytest.approx(90.625)
    assert rows["crt"].measured["all"].sd == pytest.approx(6.25 / math.sqrt(2))
    assert rows["crt"].validation.mean == pytest.approx(100 * 10.5 / 12)
    assert rows["crt"].against_baseline["all"].difference == pytest.approx(-9.375)
    assert [row.seeds for row in rows.values()] == [1, 2, 2, 1]


def test_the_cost_is_that_of_the_training_wherever_it_was_done(store, small):
    group_id = queue_leaderboard(store, small)
    finish_group(store, group_id, wrong)
    crt = next(row for row in Board.read(store, group_id).rows() if row.name == "crt")
    assert math.isnan(crt.seconds)
    stages = StageStore(store.home)
    for run_id in crt.runs:
        stage = RunFolder.of(store.home, run_id).plan().adapter("crt")
        (stages.folder(stage)).mkdir(parents=True)
        (stages.folder(stage) / "manifest.json").write_text(f'{{"key": "{stage.key}", "seconds": 1.5}}')
    crt = next(row for row in Board.read(store, group_id).rows() if row.name == "crt")
    assert crt.seconds == 3.0


def test_only_what_is_missing_is_queued(store, small):
    first = queue_leaderboard(store, Leaderboard(small.base, ("ballad",), "zero_shot", 2))
    finish_group(store, first, wrong)
    group_id = queue_leaderboard(store, small)
    assert len(store.group_ids(group_id)) == 3
    assert [row.name for row in Board.read(store, group_id).rows()] == ["zero_shot", "ballad"]
    finish_group(store, group_id, wrong)
    assert queue_leaderboard(store, small) == group_id
    part = queue_leaderboard(store, Leaderboard(small.base, METHODS, "zero_shot", 1))
    assert part != group_id and len(store.group_ids(part)) == 3


def test_a_run_whose_folder_is_gone_is_missing(store, small):
    group_id = queue_leaderboard(store, small)
    finish_group(store, group_id, wrong)
    shutil.rmtree(run_dir(store.home, store.group_ids(group_id)[0]))
    again = queue_leaderboard(store, small)
    assert again != group_id and len(store.group_ids(again)) == 1
    finish_run(store, store.group_ids(again)[0], 0)
    assert queue_leaderboard(store, small) == again


def test_of_the_mixtures_of_towers_the_best_on_validation_is_shown(store, tiny_images):
    base = Experiment().with_values({"dataset.source": str(tiny_images)})
    board = Leaderboard(base, ("ballad", "wise_ft"), "phase_a", 1)
    group_id = queue_leaderboard(store, board)
    finish_group(store, group_id, lambda each: round(10 * abs(each.interpolation - 0.6)))
    rows = {row.name: row for row in Board.read(store, group_id).rows()}
    assert list(rows) == ["zero_shot", "phase_a", "ballad", "wise_ft"]
    assert rows["wise_ft"].chosen == ({"interpolation": 0.6},) and rows["wise_ft"].measured["all"].mean == 100
    # Phase A is told of by the run whose towers are not mixed: four of 16 images are wrong there.
    assert rows["phase_a"].measured["all"].mean == 75 and rows["phase_a"].seeds == 1


def test_a_mixture_waits_for_the_others(store, tiny_images):
    base = Experiment().with_values({"dataset.source": str(tiny_images)})
    group_id = queue_leaderboard(store, Leaderboard(base, ("wise_ft",), "phase_a", 1))
    finish_run(store, store.group_ids(group_id)[0], 0)
    assert Board.read(store, group_id).rows() == []
