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
    with pytest.raises(DataError, match=r"Mini_LT_test.txt lists no images"):
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


@pytest.mark.parametrize(
    "names",
    [
        ("train_list", "val_list", "test_list"),
        ("list_Training", "list_VALID", "list_Testing"),
        ("Train", "validation", "TEST"),
    ],
)
def test_other_names_of_lists(list_set, names):
    for split, name in zip(("train", "val", "test"), names, strict=True):
        (list_set / f"Mini_LT_{split}.txt").rename(list_set / f"{name}.txt")
    assert {split: len(part) for split, part in read_list_folder(list_set).splits.items()} == {
        "train": 12,
        "val": 3,
        "test": 6,
    }


def test_a_list_of_another_name_is_said_to_be_ignored(list_set):
    (list_set / "more_pictures.txt").write_text("train/class0/0.png 0\n")
    (list_set / "README.txt").write_text("made in 2020\n")
    (note,) = read_list_folder(list_set).ignored.notes()
    assert note.startswith("1 file is ignored, a list not named train.txt") and note.endswith(": more_pictures.txt.")


def renumber(folder, number_of):
    for path in folder.glob("Mini_LT_*.txt"):
        rows = (line.rpartition(" ") for line in path.read_text().splitlines())
        path.write_text("".join(f"{name} {number_of(int(label))}\n" for name, _, label in rows))


@pytest.mark.parametrize("number_of", [lambda label: label + 1, lambda label: 10 * label + 3])
@pytest.mark.parametrize("numbered", [False, True])
def test_labels_may_start_elsewhere_and_have_gaps(list_set, number_of, numbered):
    before = read_list_folder(list_set)
    renumber(list_set, number_of)
    if numbered:
        lines = [f"{number_of(label)} {name}\n" for label, name in enumerate(before.class_names)]
        (list_set / "classnames.txt").write_text("".join(reversed(lines)))
    found = read_list_folder(list_set)
    assert found.class_names == before.class_names
    assert found.train.labels.tolist() == before.train.labels.tolist()
    assert found.class_sources == tuple(str(number_of(label)) for label in range(3))


def test_numbers_before_the_names_are_no_part_of_them(list_set):
    (list_set / "classnames.txt").write_text("0 sea snake\n1: bullfrog\n2\tgoldfish\n")
    assert read_list_folder(list_set).class_names == ("sea snake", "bullfrog", "goldfish")


def test_numbers_that_are_part_of_the_names_stay(list_set):
    (list_set / "classnames.txt").write_text("5 dollar\n10 dollar\n20 dollar\n")
    assert read_list_folder(list_set).class_names == ("5 dollar", "10 dollar", "20 dollar")


def test_names_numbered_from_1_for_labels_from_0(list_set):
    (list_set / "classnames.txt").write_text("1 sea snake\n2 bullfrog\n3 goldfish\n")
    with pytest.raises(DataError, match=r"numbers its classes from 1 \('1 sea snake'\), but there is a label 0"):
        read_list_folder(list_set)


@pytest.mark.parametrize(
    "row", ["train\\class0\\0.png 0", "train/class0/0.png\t0", "train/class0/0.png, 0.0", '"train/class0/0.png",0']
)
def test_rows_in_other_hands(list_set, row):
    edit(list_set / "Mini_LT_train.txt", "train/class0/0.png 0", row)
    assert read_list_folder(list_set).train.sample_name(0) == "train/class0/0.png"


def test_a_picture_with_two_labels_is_refused_by_its_lines(list_set):
    edit(list_set / "Mini_LT_test.txt", "test/class1/0.png 1", "train/class0/0.png 1")
    with pytest.raises(
        DataError,
        match=r"two labels, one in .*_train.txt, line 1 and another in .*_test.txt, line 3; keep the right one",
    ):
        read_list_folder(list_set)


def test_a_line_that_comes_twice_counts_once(list_set):
    edit(list_set / "Mini_LT_train.txt", "train/class0/1.png 0", "./train/class0/0.png 0")
    found = read_list_folder(list_set)
    assert found.train.counts(3).tolist() == [5, 4, 2]
    assert found.notes[0].startswith("1 image is listed again") and "line 2; each counts once" in found.notes[0]


def test_a_picture_of_two_splits_stays_in_both(list_set):
    edit(list_set / "Mini_LT_test.txt", "test/class0/0.png 0", "train/class0/0.png 0")
    found = read_list_folder(list_set)
    assert (len(found.train), len(found.splits["test"]), found.notes) == (12, 6, ())


@pytest.mark.parametrize("name", ["Mini_LT_train.txt", "classnames.txt"])
def test_a_file_that_is_not_utf_8(list_set, name):
    (list_set / name).write_bytes("café 0\n".encode("latin-1"))
    with pytest.raises(DataError, match=rf"{name} is not a UTF-8 text file"):
        read_list_folder(list_set)


def test_a_list_with_a_nul(list_set):
    edit(list_set / "Mini_LT_train.txt", "class0/0.png", "class0/\0.png")
    with pytest.raises(DataError, match=r"The image train/class0/\\x00.png is missing"):
        read_list_folder(list_set)
