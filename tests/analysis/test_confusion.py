import itertools

import numpy as np
import pandas as pd
import pytest

from ballad.analysis.confusion import (
    class_neighbours,
    class_order,
    classes_of_pairs,
    difference,
    group_confusion,
    most_confused_classes,
    most_confused_pairs,
)
from ballad.analysis.evaluation import evaluate
from ballad.analysis.predictions import Predictions

CLASSES = pd.DataFrame(
    {
        "class_id": range(5),
        "class_name": ["wolf", "Ant", "dog", "fox", "cat"],
        "group": ["few", "many", "many", "few", "medium"],
        "train_count": [9, 150, 300, 15, 50],
    }
)
LABELS = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 3, 3])
FIRST = np.array([2, 2, 0, 3, 1, 1, 2, 2, 0, 2, 3])
SECOND = np.array([0, 0, 0, 2, 1, 1, 2, 0, 0, 3, 3])


def report(predicted):
    return evaluate(Predictions(LABELS, predicted[:, None], np.ones((len(LABELS), 1), np.float32)), CLASSES)


@pytest.fixture
def run():
    found = report(FIRST)
    return found.confusion, found.per_class


@pytest.mark.parametrize(
    ("by", "expected"),
    [("group", [2, 1, 4, 3, 0]), ("count", [2, 1, 4, 3, 0]), ("name", [1, 4, 2, 3, 0])],
)
def test_orders(by, expected):
    assert class_order(CLASSES, by).tolist() == expected


def test_names_that_differ_in_case_only_keep_the_order_of_their_classes():
    names = ["".join(letters) for letters in itertools.product("aA", "bB", "cC", "dD", "eE", "fF")]
    classes = pd.DataFrame({"class_name": names, "train_count": 1, "group": "few"})
    assert class_order(classes, "name").tolist() == list(range(64))


def test_order_by_group_goes_before_the_count():
    crossed = CLASSES.assign(train_count=[900, 1, 2, 15, 50])
    assert class_order(crossed, "group").tolist() == [2, 1, 4, 0, 3]
    assert class_order(crossed, "count").tolist() == [0, 4, 3, 2, 1]


def test_order_by_similarity_puts_like_beside_like():
    # Two bundles of directions, interleaved: {0, 2, 4} and {1, 3}.
    angles = np.radians([0, 90, 4, 95, 1])
    order = class_order(CLASSES, "similarity", np.stack([np.cos(angles), np.sin(angles)], axis=1)).tolist()
    assert {*order[:3]} == {0, 2, 4} or {*order[:2]} == {1, 3}
    assert abs(order.index(0) - order.index(4)) == 1
    assert sorted(order) == list(range(5))


def test_group_confusion_by_hand(run):
    table = group_confusion(*run)
    assert table.columns.tolist() == ["right", "many", "medium", "few"]
    # Few: 6 images, wolf → dog, dog, wolf, fox and fox → dog, fox.
    assert table.loc["few"].tolist() == pytest.approx([100 * 2 / 6, 100 * 3 / 6, 0, 100 / 6])
    assert table.loc["many"].tolist() == pytest.approx([80, 0, 0, 20])
    assert table.loc["medium"].isna().all()


def test_most_confused_pairs(run):
    pairs = most_confused_pairs(*run)
    assert pairs.loc[0, ["true_name", "predicted_name", "predicted_group", "count", "rate"]].tolist() == [
        "wolf",
        "dog",
        "many",
        2,
        50,
    ]
    assert pairs.loc[0, "sample_ids"].tolist() == [0, 1]
    # Of the cells with one image the one from the smallest class comes first: fox → dog is 50 %.
    assert pairs.loc[1, ["true_name", "rate"]].tolist() == ["fox", 50]
    assert len(pairs) == 4 and len(most_confused_pairs(*run, top=2)) == 2


def test_difference_keeps_both_sides(run):
    table = difference(run[0], report(SECOND).confusion)
    cells = table.set_index(["true", "predicted"])
    assert cells.loc[(0, 0), ["before", "after", "change"]].tolist() == [1, 3, 2]
    assert cells.loc[(0, 3), "sample_ids_before"].tolist() == [3] and len(cells.loc[(0, 3), "sample_ids_after"]) == 0
    assert cells.loc[(1, 1), "change"] == 0
    assert table["change"].abs().is_monotonic_decreasing
    assert table["before"].sum() == table["after"].sum() == len(LABELS)


def test_most_confused_few_shot_classes(run):
    table = most_confused_classes(*run)
    assert table["class_name"].tolist() == ["wolf", "fox"]
    assert table.loc[0, ["error", "taken_for_name", "taken_for_rate"]].tolist() == [75, "dog", 50]
    assert most_confused_classes(*run, group="medium").empty
    assert most_confused_classes(*run, group="many")["class_name"].tolist() == ["dog"]


def test_the_block_of_most_confused_classes_holds_the_first_pairs_whole():
    pairs = pd.DataFrame({"true": [3, 0, 3, 7, 1], "predicted": [4, 4, 0, 8, 0]})
    assert classes_of_pairs(pairs, 3).tolist() == [3, 4, 0]
    # 7 and 8 have no room, and what comes after a pair that has none is left out as well.
    assert classes_of_pairs(pairs, 4).tolist() == [3, 4, 0]
    assert classes_of_pairs(pairs, 9).tolist() == [3, 4, 0, 7, 8, 1]
    assert len(classes_of_pairs(pairs.head(0), 30)) == 0


def test_block_and_table_of_pairs_agree_on_a_large_confusion():
    random = np.random.default_rng(0)
    true, predicted = np.nonzero(random.random((200, 200)) < 0.2)
    confusion = pd.DataFrame({"true": true, "predicted": predicted, "count": random.integers(1, 40, len(true))})
    confusion["sample_ids"] = [np.zeros(0, np.int64)] * len(confusion)
    per_class = pd.DataFrame({"class_name": [str(k) for k in range(200)], "group": "few", "test_count": 100})
    pairs = most_confused_pairs(confusion, per_class, 200)
    block = set(classes_of_pairs(pairs, 30).tolist())
    inside = [{row.true, row.predicted} <= block for row in pairs.itertuples()]
    assert 28 < len(block) <= 30 and all(inside[:14])


def test_neighbours_in_both_directions(run):
    table = class_neighbours(*run, class_id=0)
    assert table["class_name"].tolist() == ["dog", "fox"]
    assert table.loc[0, ["taken_for_it", "taken_for_this", "total"]].tolist() == [2, 1, 3]
    assert class_neighbours(*run, class_id=1).empty


def test_a_run_without_errors_has_no_pairs():
    right = report(LABELS)
    assert most_confused_pairs(right.confusion, right.per_class).empty
    assert most_confused_classes(right.confusion, right.per_class).empty


@pytest.mark.parametrize("by", ["name", "count"])
def test_classes_that_tie_stay_in_class_order(by):
    alike = pd.DataFrame({"class_name": ["Cat", "cat", "CAT"] * 20, "train_count": 7, "group": "few"})
    assert class_order(alike, by).tolist() == list(range(60))
