import pytest

from ballad.data.catalog import load_dataset
from ballad.data.name_edits import names_file, reset_class_names, save_class_names
from ballad.errors import DataError
from ballad.experiment import DatasetSettings

EDITED = ("adder", "frog", "fish")


def test_edited_names_replace_the_set_s_own_and_change_the_fingerprint(list_set):
    settings = DatasetSettings(source=str(list_set))
    before = load_dataset(settings)
    save_class_names(settings.source, EDITED)
    edited = load_dataset(settings)
    assert edited.class_names == EDITED
    assert edited.fingerprint != before.fingerprint
    reset_class_names(settings.source)
    assert load_dataset(settings).fingerprint == before.fingerprint


def test_the_same_folder_by_another_path(list_set, monkeypatch):
    save_class_names(str(list_set), EDITED)
    monkeypatch.chdir(list_set.parent)
    assert load_dataset(DatasetSettings(source=list_set.name)).class_names == EDITED


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
    save_class_names(str(list_set), EDITED[:2])
    with pytest.raises(DataError, match=r"names 2 classes, but pictures has 3; edit or delete that file"):
        load_dataset(DatasetSettings(source=str(list_set)))


@pytest.mark.parametrize("name", ["", "  ", "two\nlines"])
def test_a_name_must_be_one_line(name):
    with pytest.raises(DataError, match="Class 1 needs a name of one line"):
        save_class_names("demo", ("good", name))


def test_names_that_cannot_be_kept(list_set, tmp_path):
    (tmp_path / "root").write_text("a file where the data root should be")
    with pytest.raises(DataError, match=r"pictures-\w+.txt cannot be written \(Not a directory\); put a folder"):
        save_class_names(str(list_set), EDITED)
