import pytest

from ballad.data.catalog import load_dataset
from ballad.data.readers.class_folders import read_class_folders
from ballad.errors import DataError
from ballad.experiment import DatasetSettings


@pytest.fixture
def folder_set(tmp_path, write_picture):
    folder = tmp_path / "animals"
    for split, count in (("train", 3), ("validation", 1), ("test", 2)):
        for name in ("sea_snake", "bull-frog"):
            for number in range(count):
                write_picture(folder / split / name / "images" / f"{number}.png")
    (folder / "train" / "sea_snake" / "notes.txt").write_text("no image")
    return folder


def test_splits_classes_and_nested_images(folder_set):
    found = read_class_folders(folder_set)
    assert found.class_names == ("bull frog", "sea snake")
    assert {name: len(split) for name, split in found.splits.items()} == {"train": 6, "val": 2, "test": 4}
    assert found.train.sample_name(0) == "train/bull-frog/images/0.png"


def test_names_for_wordnet_folders_come_from_classnames(tmp_path, write_picture):
    for folder in ("n02", "n01"):
        write_picture(tmp_path / "set" / f"{folder}443537" / "a.png")
    (tmp_path / "set" / "classnames.txt").write_text("n02443537 polecat\nn01443537 goldfish\nn09999999 unused\n")
    with pytest.raises(DataError, match="no test split"):
        load_dataset(DatasetSettings(source=str(tmp_path / "set")))
    (tmp_path / "set" / "classnames.txt").write_text("n02443537 polecat\nn09999999 unused\n")
    with pytest.raises(DataError, match="class folder 'n01443537' has no name in"):
        read_class_folders(tmp_path / "set")


def test_wordnet_names_follow_the_folders_not_the_lines(tmp_path, write_picture):
    for folder in ("n02443537", "n01443537"):
        write_picture(tmp_path / "set" / folder / "a.png")
    (tmp_path / "set" / "classnames.txt").write_text("n02443537 polecat\nn01443537 goldfish\n")
    assert read_class_folders(tmp_path / "set").class_names == ("goldfish", "polecat")


def test_plain_names_must_be_as_many_as_folders(folder_set):
    (folder_set / "classnames.txt").write_text("one\ntwo\nthree\n")
    with pytest.raises(DataError, match="names 3 classes, but there are 2 class folders"):
        read_class_folders(folder_set)


def test_a_single_level_is_all_training(tmp_path, write_picture):
    for name in ("cat", "dog"):
        write_picture(tmp_path / "set" / name / "a.png")
    assert set(read_class_folders(tmp_path / "set").splits) == {"train"}


def test_a_class_only_in_test(folder_set, write_picture):
    write_picture(folder_set / "test" / "goldfish" / "0.png")
    with pytest.raises(DataError, match=r"test/goldfish has no counterpart among the training classes"):
        read_class_folders(folder_set)


def test_an_empty_class_folder(folder_set):
    (folder_set / "train" / "goldfish").mkdir()
    with pytest.raises(DataError, match=r"train/goldfish holds no image"):
        read_class_folders(folder_set)


def test_a_folder_with_nothing_in_it(tmp_path):
    with pytest.raises(DataError, match="holds neither list files"):
        load_dataset(DatasetSettings(source=str(tmp_path)))


def test_list_and_folder_readers_give_the_same_content(list_set, tmp_path):
    for label, name in enumerate(("sea snake", "bullfrog", "goldfish")):
        for split in ("train", "val", "test"):
            target = tmp_path / "folders" / split / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (list_set / split / f"class{label}").rename(target)
            (list_set / split / f"class{label}").symlink_to(target, target_is_directory=True)
    listed = load_dataset(DatasetSettings(source=str(list_set)))
    folders = load_dataset(DatasetSettings(source=str(tmp_path / "folders")))
    assert listed.content_fingerprint() == folders.content_fingerprint()
    assert sorted(listed.class_counts) == sorted(folders.class_counts)
    assert listed.fingerprint != folders.fingerprint
