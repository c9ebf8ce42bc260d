import pytest

from ballad.errors import SettingsError
from ballad.experiment import Experiment
from ballad.paper.budgets import BUDGETS, with_budget


def on(source: str) -> Experiment:
    return Experiment().with_values({"dataset.source": source})


def test_full_changes_nothing():
    assert with_budget(Experiment(), "full") == Experiment()


@pytest.mark.parametrize(("name", "epochs"), [("half", (25, 10)), ("small", (10, 10)), ("tiny", (2, 2))])
def test_epochs_are_cut_and_the_budget_is_named(name, epochs):
    cut = with_budget(on("imagenet-lt"), name)
    assert (cut.phase_a.epochs, cut.phase_b.epochs, cut.budget) == (*epochs, name)


def test_a_phase_keeps_an_epoch_and_gains_none():
    base = Experiment().with_values({"phase_a.epochs": 3, "phase_b.epochs": 0})
    cut = with_budget(base, "tiny")
    assert (cut.phase_a.epochs, cut.phase_b.epochs) == (1, 0)


@pytest.mark.parametrize(
    ("source", "chosen", "left"),
    [
        ("imagenet-lt", None, 20),
        ("imagenet-lt", 10, 10),
        ("imagenet-lt", 50, 20),
        ("cifar10-lt", None, None),
        ("my/pictures", None, None),
        ("my/pictures", 50, 20),
    ],
)
def test_classes_are_cut_where_there_are_known_to_be_more(source, chosen, left):
    assert with_budget(on(source).with_values({"dataset.classes": chosen}), "tiny").dataset.classes == left


def test_an_unknown_budget_is_named():
    with pytest.raises(SettingsError, match=f"no budget 'huge'; the budgets are {', '.join(BUDGETS)}"):
        with_budget(Experiment(), "huge")
