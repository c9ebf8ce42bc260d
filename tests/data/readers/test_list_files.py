import pytest

from ballad.data.readers.list_files import read_list_folder
from ballad.errors import DataError


def test_reads_every_split(list_set):
    found = read_list_folder(list_set)
    assert found.class_names == ("sea snake", "bullfrog", "goldfish")
    assert {name: split.counts(3).tolist() for name, split in found.splits.items()} == {
        "train": [6, 4, 2],
        "val": [1, 1, 1],
        "test": [2, 2, 2],
    }
    assert found.train.sample_name(0) == "train/class0/0.png"
    assert found.train.image(0).size == (20, 16)


def test_plain_names_of_list_files(list_set):
    for split in ("train", "val", "test"):
        (list_set / f"Mini_LT_{split}.txt").rename(list_set / f"{split}.txt")
    assert len(read_list_folder(list_set).train) == 12


def test_wordnet_ids_before_the_names(list_set):
    (list_set / "classnames.txt").write_text("n01443537 goldfish\nn01641577 bull frog\nn01751748 sea snake\n")
    assert read_list_folder(list_set).class_names == ("goldfish", "bull frog", "sea snake")


def test_paths_may_hold_spaces_and_lines_may_be_blank(list_set, write_picture):
    write_picture(list_set / "train" / "two words.png")
    with (list_set / "Mini_LT_train.txt").open("a") as file:
        file.write("\ntrain/two words.png 2\n\n")
    assert len(read_list_folder(list_set).train) == 13


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("class1/0.png 1", "class1/0.png 7", r"Mini_LT_train.txt, line 7: label 7 has no class name; .* 0 to 2"),
        ("class1/0.png 1", "class1/0.png -1", r"line 7: expected 'path label', found"),
        ("class1/0.png 1", "class1/0.png", r"line 7: expected 'path label', found 'train/class1/0.png'"),
        ("class1/0.png", "class1/lost.png", r"The image train/class1/lost.png is missing in .*pictures"),
    ],
)
def test_a_defect_in_a_list_names_its_line(list_set, old, new, message):
    edit(list_set / "Mini_LT_train.txt", old, new)
    with pytest.raises(DataError, match=message):
        read_list_folder(list_set)


def test_missing_images_are_counted(list_set):
    for picture in (list_set / "test" / "class2").iterdir():
        picture.unlink()
    with pytest.raises(DataError, match=r"test/class2/0.png \(and 1 more\) is missing"):
        read_list_folder(list_set)


def test_an_empty_list(list_set):
    (list_set / "Mini_LT_test.txt").write_text("\n")
    with pytest.raises(DataError, match=r"Mini_LT_test.txt lists no image"):
        read_list_folder(list_set)


def test_two_sets_of_lists_in_one_folder(list_set):
    (list_set / "Other_train.txt").write_text("")
    with pytest.raises(DataError, match=r"several lists of the train split, Mini_LT_train.txt and Other_train.txt"):
        read_list_folder(list_set)


def test_missing_class_names(list_set):
    (list_set / "classnames.txt").unlink()
    with pytest.raises(DataError, match=r"classnames.txt is missing"):
        read_list_folder(list_set)


@pytest.mark.parametrize("text", ["goldfish\n\nbullfrog\n", "n01443537 goldfish\nn01641577\nn01751748 snake\n"])
def test_a_class_without_a_name(list_set, text):
    (list_set / "classnames.txt").write_text(text)
    with pytest.raises(DataError, match=r"classnames.txt, line 2: class 1 has no name"):
        read_list_folder(list_set)
