import subprocess
import sys

import pytest

from ballad.data.catalog import list_datasets, load_dataset
from ballad.errors import DataError
from ballad.sections import DatasetSettings


def test_every_entry_says_what_it_is_and_where_it_stands():
    entries = list_datasets()
    assert [entry.name for entry in entries] == [
        "demo",
        "cifar100-lt",
        "cifar10-lt",
        "imagenet-lt",
        "places-lt",
        "inaturalist2018",
        "tiny-imagenet-lt",
    ]
    for entry in entries:
        status = entry.status()
        assert all((entry.title, entry.citation, entry.licence, entry.how_to_get, entry.layout))
        assert status.state == {"demo": "present"}.get(entry.name, "downloadable" if entry.archive else "missing")
        assert entry.title in status.message or entry.name == "demo"


def test_a_missing_set_says_what_where_and_how(tmp_path):
    with pytest.raises(DataError) as error:
        load_dataset(DatasetSettings(source="imagenet-lt"))
    message = str(error.value)
    assert message.startswith(
        "ImageNet-LT lacks ImageNet_LT_train.txt, ImageNet_LT_val.txt, ImageNet_LT_test.txt, train"
    )
    assert str(tmp_path / "root" / "imagenet-lt") in message
    assert "https://image-net.org" in message


def test_a_set_that_can_be_downloaded_says_so():
    with pytest.raises(DataError, match=r"CIFAR100-LT is not available yet; it can be downloaded \(169 MB\)"):
        load_dataset(DatasetSettings(source="cifar100-lt"))


def test_a_misspelt_name():
    with pytest.raises(DataError, match=r"no folder or table 'cifar100lt'.*did you mean 'cifar100-lt'"):
        load_dataset(DatasetSettings(source="cifar100lt"))


def test_a_file_that_is_no_table(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"a.jpg is not a dataset; give its folder, or a CSV or Parquet table"):
        load_dataset(DatasetSettings(source=str(tmp_path / "a.jpg")))


@pytest.mark.parametrize("source", ["a" * 400, "~nobody-of-this-name/images"])
def test_what_no_file_can_be_called(source):
    with pytest.raises(DataError, match="There is no folder or table"):
        load_dataset(DatasetSettings(source=source))


@pytest.mark.parametrize("source", ["a\0b", "caf\udce9"])
def test_what_cannot_be_written_down(source):
    with pytest.raises(DataError, match=r"'(a\\x00b|caf\\udce9)' cannot be the name of a folder or table"):
        load_dataset(DatasetSettings(source=source))


def test_a_folder_goes_by_its_own_name(list_set):
    dataset = load_dataset(DatasetSettings(source=str(list_set)))
    assert (dataset.name, dataset.title, dataset.notes) == ("pictures", "pictures", ())
    assert dataset.class_table()["train_count"].tolist() == [6, 4, 2]


def test_equal_class_names_are_noted(list_set):
    (list_set / "classnames.txt").write_text("missile\ntank\nmissile\n")
    (note,) = load_dataset(DatasetSettings(source=str(list_set))).notes
    assert note.startswith("2 classes are called 'missile' (labels 0, 2)")


def test_the_demo_takes_the_same_settings():
    demo = load_dataset(DatasetSettings(source="demo", classes=5, imbalance_ratio=4))
    assert demo.synthetic
    assert demo.num_classes == 5
    assert demo.class_counts.max() / demo.class_counts.min() >= 4


def test_the_catalogue_needs_no_torch():
    script = "import sys, ballad.data.catalog; print([name for name in ('torch', 'open_clip') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("named", [True, False])
def test_the_verdict_on_unreadable_images_lies_in_the_home_that_is_meant(
    tmp_path, monkeypatch, write_picture, named: bool
):
    for split in ("train", "test"):
        for name in ("a", "b"):
            write_picture(tmp_path / "set" / split / name / "0.png")
    (tmp_path / "set" / "train" / "a" / "1.png").write_bytes(b"no picture")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("BALLAD_HOME", "~/by the environment")
    home = tmp_path / ("by name" if named else "by the environment")
    settings = DatasetSettings(source=str(tmp_path / "set"), skip_unreadable=True)
    assert len(load_dataset(settings, home=home if named else None).train) == 2
    assert [path.parent for path in tmp_path.glob("*/unreadable")] == [home]
