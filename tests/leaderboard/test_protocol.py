"""What a leaderboard runs: equal effort, grids of equal size, seeds only where they change something."""

import math

import pytest

from ballad.errors import RunError, SettingsError
from ballad.experiment import Experiment
from ballad.heads import HEADS
from ballad.leaderboard.board import trained_parameters
from ballad.leaderboard.protocol import ENTRIES, Leaderboard


def board(**changes) -> Leaderboard:
    settings = {"methods": tuple(ENTRIES), "towers": "zero_shot", "seeds": 3}
    return Leaderboard(Experiment(), **{**settings, **changes})


@pytest.mark.parametrize("towers", ["zero_shot", "phase_a"])
def test_all_share_towers_steps_and_features(towers):
    runs = board(towers=towers).all_experiments()
    assert len({each.towers_key for each in runs}) == 1
    assert {(each.phase_b.epochs, each.phase_b.batch_size, each.phase_b.features) for each in runs} == {
        (10, 512, "cached")
    }
    assert {each.training.trains_towers for each in runs} == {towers == "phase_a"}


def drawn(entry) -> set[str]:
    """The samplers of an entry's epochs."""
    run = board().experiments(entry)[0].phase_b
    return {run.head.sampler(run.head_options, run.sampler, progress) for progress in (0.0, 0.5, 0.9)}


@pytest.mark.parametrize("name", [name for name, entry in ENTRIES.items() if entry.head.learns])
def test_no_method_corrects_for_the_long_tail_twice(name):
    entry = ENTRIES[name]
    by_loss = {"log_prior", "shift", "margin", "class_weight", "covers"} & set(entry.head.fixed)
    if entry.adjustment or by_loss:
        assert drawn(entry) == {"instance"}


def test_a_linear_probe_is_not_crt():
    assert drawn(ENTRIES["linear_probe"]) == {"instance"}
    assert drawn(ENTRIES["crt"]) == drawn(ENTRIES["ballad"]) == {"class_balanced"}


def test_seeds_repeat_only_what_they_can_change():
    counts = {name: len(board().experiments(entry)) for name, entry in ENTRIES.items()}
    assert (counts["ballad"], counts["tip_adapter"], counts["zero_shot_adjusted"]) == (3, 1, 1)
    whole = board(vary="run", towers="phase_a").experiments(ENTRIES["tip_adapter"])
    assert [each.seed for each in whole] == [0, 1, 2] and len({each.towers_key for each in whole}) == 3


def test_grids_are_at_most_five_points_and_only_tried_on_validation():
    sizes = [math.prod(map(len, entry.grid.values())) for entry in ENTRIES.values()]
    assert max(sizes) <= 5
    (run, *_) = board().experiments(ENTRIES["ballad"])
    assert run.phase_b.search == "grid"
    (run, *_) = board(searched=False).experiments(ENTRIES["ballad"])
    assert run.phase_b.search == "none"


def test_a_definition_is_read_again():
    assert Leaderboard.parse(board().definition()) == board()
    with pytest.raises(RunError, match="not a leaderboard"):
        Leaderboard.parse({"grid": {}})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"methods": ("balad",)}, "no method balad"),
        ({"methods": ()}, "at least one method"),
        ({"seeds": 0}, "seeds = 0"),
    ],
)
def test_what_cannot_be_compared_is_refused(changes, sentence):
    with pytest.raises(SettingsError, match=sentence):
        board(**changes)


def test_titles_say_head_only_and_adjusted():
    assert ENTRIES["ride"].title("phase_a") == "RIDE (head only)"
    assert ENTRIES["zero_shot_adjusted"].title("zero_shot") == "Zero-shot, adjusted afterwards"
    assert ENTRIES["zero_shot_adjusted"].title("phase_a") == "Phase A, adjusted afterwards"
    assert ENTRIES["linear_probe_adjusted"].title("phase_a") == "Linear probe, adjusted afterwards"


def test_trained_parameters_leave_out_what_gradients_never_change():
    shapes = {"weight": (10, 4), "bias": (1, 10), "log_prior": (1, 10), "adjustment": (1, 10)}
    assert trained_parameters(HEADS["balanced_softmax"], shapes) == 50
    assert trained_parameters(HEADS["tip_adapter"], {"keys": (30, 4)}) == 0


def test_wise_ft_mixes_tuned_towers_only():
    assert "wise_ft" not in [entry.name for entry in board().entries]
    with pytest.raises(SettingsError, match="WiSE-FT needs tuned towers"):
        board(methods=("wise_ft",))
    runs = board(methods=("wise_ft",), towers="phase_a", vary="run", seeds=2).all_experiments()
    assert [(each.seed, each.interpolation) for each in runs] == [
        (seed, mixture) for seed in (0, 1) for mixture in (0.2, 0.4, 0.6, 0.8)
    ]
    (run,) = board(methods=("wise_ft",), towers="phase_a", searched=False).all_experiments()
    assert run.interpolation == 0.5
