import pytest

from ballad.data.catalog import load_dataset
from ballad.data.name_edits import names_file, reset_class_names, save_class_names
from ballad.errors import DataError
from ballad.sections import DatasetSettings

EDITED = {"0": "adder", "1": "frog", "2": "fish"}


def test_edited_names_replace_the_set_s_own_and_change_the_fingerprint(list_set):
    settings = DatasetSettings(source=str(list_set))
    before = load_dataset(settings)
    save_class_names(settings.source, EDITED)
    edited = load_dataset(settings)
    assert edited.class_names == tuple(EDITED.values())
    assert edited.fingerprint != before.fingerprint
    reset_class_names(settings.source)
    assert load_dataset(settings).fingerprint == before.fingerprint


def test_the_same_folder_by_another_path(list_set, monkeypatch):
    save_class_names(str(list_set), EDITED)
    monkeypatch.chdir(list_set.parent)
    assert load_dataset(DatasetSettings(source=list_set.name)).class_names == tuple(EDITED.values())


def test_a_name_of_the_catalogue_is_no_folder_here(tmp_path, monkeypatch):
    elsewhere = names_file("cifar100-lt")
    (tmp_path / "cifar100-lt").mkdir()
    monkeypatch.chdir(tmp_path)
    assert names_file("cifar100-lt") == elsewhere


def test_folders_of_one_name_have_names_of_their_own(tmp_path):
    for parent in ("x", "y"):
        (tmp_path / parent / "set").mkdir(parents=True)
    assert names_file(str(tmp_path / "x" / "set")) != names_file(str(tmp_path / "y" / "set"))


def test_a_wrong_number_of_names(list_set):
    save_class_names(str(list_set), {"0": "adder", "1": "frog"})
    with pytest.raises(DataError, match=r"names 2 classes, but pictures has 3; edit or delete that file"):
        load_dataset(DatasetSettings(source=str(list_set)))


@pytest.mark.parametrize("name", ["", "  ", "two\nlines"])
def test_a_name_must_be_one_line(name):
    with pytest.raises(DataError, match="Class 1 needs a name of one line"):
        save_class_names("demo", {"0": "good", "1": name})


def test_names_that_cannot_be_kept(list_set, tmp_path):
    (tmp_path / "root").write_text("a file where the data root should be")
    with pytest.raises(
        DataError, match=r"pictures-\w+.txt cannot be written \(Not a directory\); put a writable folder"
    ):
        save_class_names(str(list_set), EDITED)


def test_names_of_other_classes(list_set):
    save_class_names(str(list_set), {"0": "adder", "1": "frog", "7": "fish"})
    with pytest.raises(DataError, match=r"has no name for class 2 of pictures; edit or delete that file"):
        load_dataset(DatasetSettings(source=str(list_set)))


def test_a_file_of_an_earlier_version_names_the_labels_in_their_order(list_set):
    keep(list_set, "adder\nfrog\nfish\n")
    assert load_dataset(DatasetSettings(source=str(list_set))).class_names == ("adder", "frog", "fish")


def test_a_file_of_an_earlier_version_keeps_to_the_folders_that_it_named(tmp_path, write_picture):
    """Folders that are numbers were sorted as texts then: 0, 1, 10, 2, …"""
    for split in ("train", "test"):
        for number in range(11):
            write_picture(tmp_path / "set" / split / str(number) / "a.png")
    keep(tmp_path / "set", "zero\none\nten\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n")
    dataset = load_dataset(DatasetSettings(source=str(tmp_path / "set")))
    assert dataset.class_sources[9:] == ("9", "10")
    assert dataset.class_names[9:] == ("nine", "ten") and dataset.class_names[:2] == ("zero", "one")


def keep(folder, text):
    names_file(str(folder)).parent.mkdir(parents=True)
    names_file(str(folder)).write_text(text)
