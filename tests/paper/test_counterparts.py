import pytest

from ballad.experiment import Experiment
from ballad.paper.counterparts import find_counterpart
from ballad.paper.presets import BALLAD, ZERO_SHOT, Reference


def on(source: str, backbone: str, **changes: object) -> Experiment:
    values = {"dataset.source": source, "backbone.name": backbone}
    return Experiment().with_values(values | {name.replace("__", "."): value for name, value in changes.items()})


@pytest.mark.parametrize(
    ("source", "backbone", "published"),
    [("imagenet-lt", "RN50", 67.2), ("places-lt", "ViT-B/16", 49.5), ("cifar100-lt", "RN50x16", 63.7)],
)
def test_the_same_set_and_backbone_go_first(source, backbone, published):
    found = find_counterpart(on(source, backbone), [BALLAD])
    assert found.accuracies["all"] == published and found.same_setup


def test_elsewhere_the_paper_s_own_choice_stands_in_and_says_so():
    found = find_counterpart(on("demo", "demo"), [BALLAD])
    assert (found.source, found.same_setup) == ("Table 1, ImageNet-LT, RN50", False)


@pytest.mark.parametrize(
    "change", [{"dataset__classes": 50}, {"dataset__imbalance_ratio": 50}, {"dataset__imbalance_profile": "pareto"}]
)
def test_a_part_of_the_paper_s_set_is_another_set(change):
    assert not find_counterpart(on("cifar100-lt", "RN50", **change), [BALLAD]).same_setup


def test_a_closer_reference_goes_before_a_later_one_on_another_setup():
    unbalanced = Reference("Phase A, unbalanced", ("table7",))
    assert find_counterpart(on("demo", "demo"), [unbalanced, BALLAD]).accuracies["all"] == 62.6
    # BALLAD was measured on this very setup.
    assert find_counterpart(on("places-lt", "RN50"), [unbalanced, BALLAD]).accuracies["all"] == 46.5


def test_groups_that_are_not_at_hand_stay_unknown():
    accuracies = find_counterpart(on("imagenet-lt", "RN101"), [ZERO_SHOT]).accuracies
    assert accuracies["all"] == 61.2 and list(accuracies) == ["many", "medium", "few", "all"]


def test_nothing_published_is_none():
    assert find_counterpart(on("imagenet-lt", "RN50"), [Reference("λ = 0.9", ("figure5",))]) is None
