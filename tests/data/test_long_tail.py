import numpy as np
import pytest

from ballad.data.long_tail import LongTailDataset, Split, long_tail_counts
from ballad.shot_groups import shot_groups


def pixels(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)


def dataset(class_names=("cat", "dog"), train_labels=(0, 0, 0, 1), seed=0, **more) -> LongTailDataset:
    train = Split("train", np.array(train_labels), pixels=pixels(len(train_labels), seed))
    test = Split("test", np.array([0, 1]), pixels=pixels(2, seed + 1))
    return LongTailDataset("set", "Set", tuple(class_names), train, None, test, **more)


def test_shot_groups_at_their_borders():
    assert shot_groups([101, 100, 20, 19, 1]) == ["many", "medium", "medium", "few", "few"]


@pytest.mark.parametrize(("ratio", "total"), [(10, 19573), (50, 12608), (100, 10847), (200, 9502)])
def test_cifar100_lt_has_the_literature_s_totals(ratio, total):
    counts = long_tail_counts(500, 100, ratio)
    assert counts.sum() == total
    assert counts.tolist() == [int(500 * (1 / ratio) ** (c / 99)) for c in range(100)]


@pytest.mark.parametrize(("num_classes", "shots"), [(100, [35, 35, 30]), (10, [8, 2, 0])])
def test_cifar_lt_has_the_literature_s_shot_groups(num_classes, shots):
    groups = shot_groups(long_tail_counts(50_000 // num_classes, num_classes, 100))
    assert [groups.count(group) for group in ("many", "medium", "few")] == shots


@pytest.mark.parametrize("profile", ["exponential", "pareto"])
def test_counts_fall_from_the_largest_to_its_ratio(profile):
    counts = long_tail_counts(1280, 50, 256, profile)
    assert (counts[0], counts[-1]) == (1280, 5)
    assert (np.diff(counts) <= 0).all()


def test_pareto_has_a_longer_tail_than_exponential():
    assert np.median(long_tail_counts(1000, 101, 100, "pareto")) < np.median(long_tail_counts(1000, 101, 100))


def test_every_class_keeps_an_image():
    assert long_tail_counts(10, 5, 1000).min() == 1


def test_a_split_has_either_files_or_pixels():
    with pytest.raises(ValueError, match="either"):
        Split("train", np.array([0]))


def test_a_split_has_as_many_labels_as_images():
    with pytest.raises(ValueError, match="3 images and 2 labels"):
        Split("train", np.array([0, 1]), pixels=pixels(3))


def test_pixels_are_named_by_split_and_place():
    split = dataset().test
    assert split.sample_name(1) == "test/1"
    assert np.array_equal(np.asarray(split.image(1)), split.pixels[1])


def test_class_table_counts_each_split():
    table = dataset().class_table()
    assert table["train_count"].tolist() == [3, 1]
    assert table["val_count"].tolist() == [0, 0]
    assert table["test_count"].tolist() == [1, 1]


def test_reference_counts_decide_the_shot_groups():
    assert dataset().shot_group_of_class == ["few", "few"]
    assert dataset(reference_counts=np.array([500, 50])).shot_group_of_class == ["many", "medium"]


@pytest.mark.parametrize(
    "other",
    [
        {"class_names": ("cat", "hound")},
        {"train_labels": (0, 0, 1, 1)},
        {"seed": 5},
        {"reference_counts": np.array([500, 50])},
    ],
)
def test_fingerprint_follows_names_labels_pixels_and_shot_groups(other):
    assert dataset().fingerprint == dataset().fingerprint
    assert dataset().fingerprint != dataset(**other).fingerprint


def test_fingerprint_keeps_names_apart():
    assert dataset(class_names=("ab", "c")).fingerprint != dataset(class_names=("a", "bc")).fingerprint
