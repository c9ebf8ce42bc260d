import numpy as np
import pytest
from sklearn.metrics import silhouette_samples

from ballad.analysis.separation import (
    neighbour_purity,
    separation_summary,
    silhouette_by_class,
    tail_to_head_distance,
)

NAMES = ["apple", "bear", "chair"]


def at_angles(degrees):
    return np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)


def test_silhouette_by_hand():
    # Class 0 at 0° twice, class 1 at 60° twice: a = 0, b = 1 − cos 60°, so every silhouette is 1.
    features = at_angles([0, 0, 60, 60]) * [[1], [5], [2], [3]]
    table = silhouette_by_class(features, np.array([0, 0, 1, 1]), ["many", "few"])
    assert table["silhouette"].tolist() == pytest.approx([1, 1], abs=1e-6)
    # Spread class 1 to 60° and 90°: a = 1 − cos 30°; b = 1 − cos 60° and 1 − cos 90°.
    table = silhouette_by_class(at_angles([0, 0, 60, 90]), np.array([0, 0, 1, 1]), ["many", "few"])
    a, b = 1 - np.cos(np.radians(30)), [0.5, 1.0]
    assert table["silhouette"][1] == pytest.approx(np.mean([(x - a) / max(x, a) for x in b]), abs=1e-6)
    assert table["group"].tolist() == ["many", "few"] and table["samples"].tolist() == [2, 2]


def test_silhouette_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    labels = rng.choice([0, 1, 3, 4], size=200)
    features = rng.normal(size=(200, 6)) + rng.normal(size=(5, 6))[labels]
    values = silhouette_samples(features, labels, metric="cosine")
    expected = [values[labels == k].mean() for k in (0, 1, 3, 4)]
    table = silhouette_by_class(features, labels, ["many", "many", "many", "few", "few"])
    np.testing.assert_allclose(table["silhouette"], expected, atol=1e-5)
    assert table["class_id"].tolist() == [0, 1, 3, 4]


@pytest.mark.parametrize("jitter", [0, 1e-7, 1e-5, 1e-3])
def test_features_that_have_all_but_collapsed_keep_a_silhouette_within_its_bounds(jitter):
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    features = (rng.normal(size=64) + jitter * rng.normal(size=(60, 64))).astype(np.float32)
    silhouettes = silhouette_by_class(features, labels, ["many", "medium", "few"])["silhouette"]
    assert silhouettes.abs().max() <= (1 if jitter else 0)


def test_a_lone_sample_or_a_lone_class_has_no_silhouette():
    table = silhouette_by_class(at_angles([0, 10, 90]), np.array([0, 0, 1]), ["many", "few"])
    assert table["silhouette"][0] > 0.9 and np.isnan(table["silhouette"][1])
    alone = silhouette_by_class(at_angles([0, 10]), np.array([2, 2]), ["many", "many", "few"])
    assert alone["class_id"].tolist() == [2] and alone["silhouette"].isna().all()


def test_purity_by_hand():
    # Class 0: 0°, 1°, 2° among themselves; class 1: 90° and 45°, whose nearest is 2°; class 2 has one sample.
    features = at_angles([0, 1, 2, 90, 45, 180])
    table = neighbour_purity(features, np.array([0, 0, 0, 1, 1, 2]), ["many", "few", "few"]).set_index("group")
    assert table.loc["many", "purity"] == 100
    assert table.loc["few", "purity"] == 50  # 90° has 45° next to it, 45° has 2°
    assert table.loc["few", "classes"] == 1 and np.isnan(table.loc["medium", "purity"])
    assert table.loc["all", "purity"] == 75


def test_two_samples_of_one_class_are_neighbours_of_their_own():
    table = neighbour_purity(at_angles([0, 40]), np.array([0, 0]), ["few"]).set_index("group")
    assert table.loc["few", "purity"] == 100


def test_purity_of_random_labels_is_chance():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 250)
    table = neighbour_purity(rng.normal(size=(1000, 16)), labels, ["many", "many", "few", "few"]).set_index("group")
    assert table.loc["all", "purity"] == pytest.approx(25, abs=2)


def test_tail_classes_and_their_nearest_head():
    features = at_angles([0, 20, 80, 100, 60]) * [[1], [9], [1], [1], [4]]
    table = tail_to_head_distance(features, np.array([0, 0, 1, 1, 2]), NAMES, ["many", "many", "few"])
    assert table.loc[0, ["class_name", "nearest_head_name"]].tolist() == ["chair", "bear"]
    # Centroids of unit vectors: apple 10°, bear 90°, chair 60°.
    assert table.loc[0, "distance"] == pytest.approx(1 - np.cos(np.radians(30)), abs=1e-6)


def test_nearest_first_and_empty_without_head():
    features = at_angles([0, 50, 10])
    table = tail_to_head_distance(features, np.arange(3), NAMES, ["many", "few", "few"])
    assert table["class_name"].tolist() == ["chair", "bear"]
    assert tail_to_head_distance(features, np.arange(3), NAMES, ["medium", "few", "few"]).empty


def test_summary_prefers_the_better_separated_space():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 40)
    centres = np.eye(3, 8)[labels]
    tight, loose = (centres + spread * rng.normal(size=(120, 8)) for spread in (0.05, 0.5))
    groups = ["many", "medium", "few"]
    tight, loose = (separation_summary(space, labels, NAMES, groups).set_index("group") for space in (tight, loose))
    assert (tight["silhouette"] > loose["silhouette"]).all() and (tight["purity"] >= loose["purity"]).all()
    assert tight.loc["all", "silhouette"] == pytest.approx(tight.loc[groups, "silhouette"].mean())
    assert tight.loc["few", "head_distance"] == pytest.approx(1, abs=0.1)
    assert tight["head_distance"].drop("few").isna().all()
