import numpy as np
import pytest

from ballad.data.long_tail import Split, long_tail_counts
from ballad.data.readers.collection import ImageCollection
from ballad.data.subsets import build_dataset
from ballad.errors import DataError, SettingsError
from ballad.sections import DatasetSettings

CLASSES = ("a", "b", "c", "d", "e")


def numbered_split(name, labels, first=0):
    """Pictures whose one pixel is their number, so that samples can be told apart."""
    numbers = np.arange(first, first + len(labels))
    pixels = np.stack([numbers // 256, numbers % 256, 0 * numbers], axis=1).astype(np.uint8)
    return Split(name, np.array(labels, dtype=np.int64), pixels=pixels.reshape(-1, 1, 1, 3))


def numbers(split):
    return (split.pixels[:, 0, 0, 0].astype(int) * 256 + split.pixels[:, 0, 0, 1]).tolist()


def collection(counts=(50,) * 5, test=(2,) * 5, val=None, class_names=CLASSES):
    splits = {"train": numbered_split("train", np.repeat(np.arange(len(counts)), counts))}
    for name, each in (("test", test), ("val", val)):
        if each is not None:
            splits[name] = numbered_split(name, np.repeat(np.arange(len(each)), each), first=5000)
    return ImageCollection("set", "Set", class_names, splits)


def build(found, **settings):
    return build_dataset(found, DatasetSettings(**settings))


def test_without_settings_every_image_stays_in_place():
    found = collection()
    dataset = build(found)
    assert numbers(dataset.train) == list(range(250))
    assert dataset.val is None
    assert dataset.test is found.splits["test"]


def test_long_tail_takes_what_the_literature_s_code_takes():
    labels = np.random.default_rng(0).integers(0, 5, 300)
    counts = np.bincount(labels)
    labels = np.concatenate([labels, np.repeat(np.arange(5), counts.max() - counts)])
    found = ImageCollection("set", "Set", CLASSES, {**collection().splits, "train": numbered_split("train", labels)})
    expected = []
    np.random.seed(0)  # the global legacy generator, as in Cao et al.'s code
    for label, count in enumerate(long_tail_counts(counts.max(), 5, 10)):
        indices = np.where(labels == label)[0]
        np.random.shuffle(indices)
        expected += indices[:count].tolist()
    dataset = build(found, imbalance_ratio=10)
    assert numbers(dataset.train) == sorted(expected)


@pytest.mark.parametrize("ratio", [10, 50, 100, 200, 37])
@pytest.mark.parametrize("num_classes", [10, 100])
def test_cifar_lt_is_the_literature_s_image_for_image(num_classes, ratio):
    labels = np.random.default_rng(1).permutation(np.repeat(np.arange(num_classes), 50_000 // num_classes))
    # Cao et al.'s code, independent of ours: the global legacy generator, int() of the exponential.
    np.random.seed(0)
    expected = []
    for label in np.unique(labels):
        number = int(50_000 / num_classes * (1 / ratio) ** (label / (num_classes - 1.0)))
        indices = np.where(labels == label)[0]
        np.random.shuffle(indices)
        expected.append(indices[:number])
    class_names = tuple(f"class {label}" for label in range(num_classes))
    test = numbered_split("test", np.arange(num_classes))
    found = ImageCollection("set", "Set", class_names, {"train": numbered_split("train", labels), "test": test})
    dataset = build(found, imbalance_ratio=ratio)
    assert numbers(dataset.train) == sorted(np.concatenate(expected))
    assert np.array_equal(dataset.train.labels, labels[sorted(np.concatenate(expected))])


def test_long_tail_runs_over_classes_by_size_and_never_asks_for_more_than_there_is():
    dataset = build(collection(counts=(10, 100, 40, 100, 3)), imbalance_ratio=10)
    # Sizes in order: b 100, d 100, c 40, a 10, e 3; wanted 100, 56, 31, 17, 10.
    assert dataset.class_counts.tolist() == [10, 100, 31, 56, 3]


def test_another_seed_takes_other_images():
    one, other = (build(collection(), imbalance_ratio=10, split_seed=seed) for seed in (0, 1))
    assert one.class_counts.tolist() == other.class_counts.tolist()
    assert numbers(one.train) != numbers(other.train)


def test_pareto_profile():
    dataset = build(collection(), imbalance_ratio=10, imbalance_profile="pareto")
    assert dataset.class_counts.tolist() == long_tail_counts(50, 5, 10, "pareto").tolist()


def test_splits_are_set_aside_without_overlap():
    dataset = build(collection(test=None), validation_per_class=4, test_per_class=6)
    assert dataset.val.counts(5).tolist() == [4] * 5
    assert dataset.test.counts(5).tolist() == [6] * 5
    assert (dataset.val.name, dataset.test.name) == ("val", "test")
    together = numbers(dataset.train) + numbers(dataset.val) + numbers(dataset.test)
    assert sorted(together) == list(range(250))


def test_setting_aside_costs_only_classes_that_need_all_their_images():
    plain = build(collection(), imbalance_ratio=10)
    dataset = build(collection(), imbalance_ratio=10, validation_per_class=4)
    assert plain.class_counts.tolist() == [50, 28, 15, 8, 5]
    assert dataset.class_counts.tolist() == [46, 28, 15, 8, 5]
    assert set(numbers(dataset.train)) < set(numbers(plain.train))


def test_splits_of_the_set_itself_are_kept():
    found = collection(val=(3,) * 5)
    dataset = build(found, validation_per_class=4, test_per_class=6)
    assert dataset.val is found.splits["val"]
    assert dataset.test is found.splits["test"]
    assert len(dataset.train) == 250


def test_too_few_images_to_set_aside():
    with pytest.raises(DataError, match=r"Class 'b' has 5 training images; setting 5 aside .* leaves none to train on"):
        build(collection(counts=(50, 5, 50, 50, 50)), validation_per_class=5)


def test_validation_serves_as_test_where_there_is_no_other():
    dataset = build(collection(test=None, val=(3,) * 5))
    assert (dataset.val, dataset.test.name, len(dataset.test)) == (None, "test", 15)
    assert dataset.notes == ("There is no separate test split, so the validation split is used for testing.",)


def test_no_test_split_at_all():
    with pytest.raises(DataError, match=r"Set has no test split; set dataset.test_per_class"):
        build(collection(test=None))


def test_classes_are_spread_over_the_order_by_count_and_numbered_anew():
    dataset = build(collection(counts=(10, 50, 40, 20, 30), val=(1,) * 5), classes=3)
    assert dataset.class_names == ("a", "b", "e")  # places 4, 0 and 2 in the order by size
    assert dataset.class_counts.tolist() == [10, 50, 30]
    assert dataset.test.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert dataset.val.labels.tolist() == [0, 1, 2]
    assert numbers(dataset.train) == [*range(60), *range(120, 150)]


def test_more_classes_than_there_are():
    with pytest.raises(SettingsError, match=r"dataset.classes = 6: Set has only 5 classes"):
        build(collection(), classes=6)


def test_shot_groups_kept_from_ratio_100():
    found = collection(counts=(500,) * 5)
    recounted = build(found, imbalance_ratio=10)
    kept = build(found, imbalance_ratio=10, shot_groups="rho100")
    assert recounted.class_counts.tolist() == kept.class_counts.tolist() == [500, 281, 158, 88, 50]
    assert recounted.shot_group_of_class == ["many", "many", "many", "medium", "medium"]
    assert kept.shot_group_of_class == ["many", "many", "medium", "few", "few"]  # 500, 158, 50, 15, 5
    assert recounted.fingerprint != kept.fingerprint


def test_kept_shot_groups_follow_the_chosen_classes():
    kept = build(collection(counts=(500,) * 5), imbalance_ratio=10, shot_groups="rho100", classes=2)
    assert kept.shot_group_of_class == ["many", "few"]


def test_shot_groups_of_ratio_100_need_a_ratio():
    with pytest.raises(SettingsError, match=r"shot_groups = 'rho100' .* needs dataset.imbalance_ratio"):
        build(collection(), shot_groups="rho100")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (collection(class_names=("a", "b", "c", "d")), "the label 4, but its 4 named classes are 0 to 3"),
        (collection(class_names=("a", "b", " ", "d", "e")), "Class 2 of Set has no name"),
        (collection(counts=(5, 0, 5, 5, 5)), "Class 'b', label 1, of Set has no training image"),
        (collection(test=(1, 1, 0, 0, 1)), r"Class 'c', label 2 \(and 1 more\), of Set has no test image"),
        (collection(counts=(0,) * 5), "The train split of Set is empty"),
        (collection(counts=(3,), test=(3,), class_names=("a",)), "Set has 1 class; at least 2 are needed"),
    ],
)
def test_a_defective_set_is_named(found, message):
    with pytest.raises(DataError, match=message):
        build(found)
