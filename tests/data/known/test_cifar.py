import pickle

import numpy as np
import pytest

from ballad.data.catalog import CATALOG, load_dataset
from ballad.errors import DataError
from ballad.sections import DatasetSettings


@pytest.fixture
def cifar10(tmp_path):
    """The archive's files with 10 training pictures per class in five parts, and 2 test pictures per class."""
    folder = tmp_path / "root" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)

    def write(name, labels):
        data = rng.integers(0, 256, (len(labels), 3072), dtype=np.uint8)
        (folder / name).write_bytes(pickle.dumps({"data": data, "labels": labels}, protocol=2))
        return data

    parts = [write(f"data_batch_{part}", list(range(10)) * 2) for part in range(1, 6)]
    write("test_batch", list(range(10)) * 2)
    names = ["air_plane", *(f"class {label}" for label in range(1, 10))]
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": names}, protocol=2))
    return folder, np.concatenate(parts)


def load(**settings):
    return load_dataset(DatasetSettings(source="cifar10-lt", **settings))


def test_reads_the_archive_s_format(cifar10):
    _, data = cifar10
    full = load(imbalance_ratio=1)
    assert (len(full.train), len(full.test), full.val) == (100, 20, None)
    assert full.class_names[0] == "air plane"
    red, green, blue = data[7].reshape(3, 32, 32)
    assert np.array_equal(full.train.pixels[7], np.stack([red, green, blue], axis=2))
    assert full.notes == ()


def test_the_long_tail_is_cut_by_default(cifar10):
    assert load().class_counts.tolist() == load(imbalance_ratio=100).class_counts.tolist()
    assert load().class_counts.tolist() == [10, 5, 3, 2, 1, 1, 1, 1, 1, 1]


def test_the_first_pictures_of_the_legacy_shuffle_are_kept(cifar10):
    _, data = cifar10
    generator = np.random.RandomState(0)
    generator.shuffle(np.arange(10))  # the pictures of class 0
    second = np.arange(1, 100, 10)
    generator.shuffle(second)
    train = load().train
    ours = train.pixels[train.labels == 1].transpose(0, 3, 1, 2).reshape(-1, 3072)
    assert np.array_equal(ours, data[np.sort(second[:5])])


def test_a_file_that_would_run_code_is_refused(cifar10, tmp_path):
    folder, _ = cifar10

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "evil"), "w"))

    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": Evil()}))
    with pytest.raises(DataError, match=r"batches.meta is damaged or not a CIFAR file \(it asks for"):
        load()
    assert not (tmp_path / "evil").exists()


def test_a_truncated_file(cifar10):
    folder, _ = cifar10
    path = folder / "data_batch_3"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"data_batch_3 is damaged or not a CIFAR file"):
        load()


@pytest.mark.parametrize(
    "content",
    [
        {"data": np.zeros((20, 100), dtype=np.uint8), "labels": [0] * 20},
        {"data": np.zeros((20, 3072), dtype=np.uint8), "labels": [0] * 19},
        {"data": [1, 2, 3], "labels": [0] * 3},
        {"labels": [0]},
        [1, 2, 3],
    ],
)
def test_a_file_of_something_else(cifar10, content):
    folder, _ = cifar10
    (folder / "data_batch_2").write_bytes(pickle.dumps(content))
    with pytest.raises(DataError, match=r"data_batch_2 is damaged or not a CIFAR file .*; download the archive again"):
        load()


def test_an_incomplete_folder_can_be_downloaded_again(cifar10):
    folder, _ = cifar10
    (folder / "test_batch").unlink()
    assert CATALOG["cifar10-lt"].status().state == "downloadable"


def test_cifar100_has_files_of_its_own(tmp_path):
    folder = tmp_path / "root" / "cifar-100-python"
    folder.mkdir(parents=True)
    names = [f"big_thing_{label}" for label in range(100)]
    data = np.random.default_rng(0).integers(0, 256, (200, 3072), dtype=np.uint8)
    labels = {"fine_labels": list(range(100)) * 2, "coarse_labels": [0] * 200}
    for name in ("train", "test"):
        (folder / name).write_bytes(pickle.dumps({"data": data, **labels}, protocol=2))
    assert CATALOG["cifar100-lt"].status().state == "downloadable"
    (folder / "meta").write_bytes(pickle.dumps({"fine_label_names": names, "coarse_label_names": ["things"]}))
    dataset = load_dataset(DatasetSettings(source="cifar100-lt", imbalance_ratio=1))
    assert (dataset.title, dataset.class_names[7]) == ("CIFAR100-LT", "big thing 7")
    assert dataset.class_counts.tolist() == [2] * 100


def test_published_sizes():
    entry = CATALOG["cifar100-lt"]
    assert entry.status().download_bytes == 169_001_437
    assert (entry.expected["train"], entry.shot_classes) == (10_847, (35, 35, 30))
