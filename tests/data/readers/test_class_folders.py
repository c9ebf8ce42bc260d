import shutil

import pytest

from ballad.data.catalog import load_dataset
from ballad.data.ignored import BESIDE_SPLITS, LEFT_BY_PROGRAMS, LINKS, NOT_PICTURES, OTHER_FORMATS, OUTSIDE_CLASSES
from ballad.data.readers.class_folders import read_class_folders
from ballad.errors import DataError
from ballad.sections import DatasetSettings
from tests.helpers.contents import contents


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
    with pytest.raises(DataError, match=r"train/goldfish holds no images"):
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
    assert contents(listed) == contents(folders)
    assert sorted(listed.class_counts) == sorted(folders.class_counts)
    assert listed.fingerprint != folders.fingerprint


def ignored(found):
    return {reason: (count, examples) for reason, count, examples in found.ignored}


def test_whatever_is_ignored_is_counted_by_reason(folder_set, write_picture):
    snakes = folder_set / "train" / "sea_snake"
    write_picture(snakes / ".ipynb_checkpoints" / "0.png")
    write_picture(snakes / "@eaDir" / "0.png" / "thumb.jpg")
    (snakes / "._0.png").write_bytes(b"")
    (folder_set / "train" / "__MACOSX" / "x").mkdir(parents=True)
    (snakes / "phone.HEIC").write_bytes(b"")
    write_picture(folder_set / "train" / "loose.png")
    (folder_set / "raw").mkdir()
    (folder_set / "Thumbs.db").write_bytes(b"")
    found = read_class_folders(folder_set)
    assert len(found.train) == 6
    assert ignored(found) == {
        LEFT_BY_PROGRAMS: (
            5,
            ["Thumbs.db", "__MACOSX", "train/sea_snake/._0.png"],
        ),
        NOT_PICTURES: (1, ["train/sea_snake/notes.txt"]),
        OTHER_FORMATS: (1, ["train/sea_snake/phone.HEIC"]),
        OUTSIDE_CLASSES: (1, ["loose.png"]),
        BESIDE_SPLITS: (1, ["raw/"]),
    }
    assert [note.partition(":")[0] for note in found.ignored.notes()] == [
        "1 file is ignored, in a folder beside the splits",
        "1 file is ignored, in a format that is not read; convert them to JPEG or PNG",
        "1 file is ignored, outside the class folders",
    ]


def test_pictures_by_other_names(folder_set, write_picture):
    snakes = folder_set / "train" / "sea_snake"
    for number, (form, name) in enumerate(
        [
            ("JPEG", "a.jfif"),
            ("JPEG", "a.JPE"),
            ("PNG", "png"),
            ("JPEG", "jpeg"),
            ("GIF", "gif"),
            ("WEBP", "webp"),
            ("TIFF", "tiff"),
        ]
    ):
        write_picture(snakes / name, size=(20 + number, 16), format=form)
    (snakes / "LICENSE").write_text("RIFF, a licence")
    found = read_class_folders(folder_set)
    assert len(found.train) == 13 and all(found.train.problem(index) is None for index in range(13))
    assert ignored(found)[NOT_PICTURES][0] == 2


@pytest.mark.parametrize(
    "names", [("Train", "Valid", "Test"), ("TRAINING", "val", "testing"), ("train", "Validation", "test")]
)
def test_split_folders_in_whatever_case(tmp_path, write_picture, names):
    for name in names:
        for label in ("cat", "dog"):
            write_picture(tmp_path / "set" / name / label / "a.png")
    assert {split: len(part) for split, part in read_class_folders(tmp_path / "set").splits.items()} == {
        "train": 2,
        "val": 2,
        "test": 2,
    }


def test_two_folders_for_a_split(folder_set):
    shutil.copytree(folder_set / "validation", folder_set / "Val")
    with pytest.raises(DataError, match="has more than one folder for the val split, Val and validation; keep one"):
        read_class_folders(folder_set)


def test_splits_without_train(folder_set):
    (folder_set / "train").rename(folder_set / "pictures")
    with pytest.raises(DataError, match="has test, but no folder called train beside it"):
        read_class_folders(folder_set)


def test_a_split_without_class_folders(folder_set, write_picture):
    shutil.rmtree(folder_set / "test")
    write_picture(folder_set / "test" / "0.png")
    with pytest.raises(DataError, match="test holds no class folders; sort its images by class"):
        read_class_folders(folder_set)


def test_splits_of_unsorted_pictures_are_no_classes(tmp_path, write_picture):
    for split in ("Train", "Test"):
        write_picture(tmp_path / "set" / split / "a.png")
    with pytest.raises(DataError, match=r"Test and Train in .*set hold no class folders"):
        read_class_folders(tmp_path / "set")


def test_a_class_may_be_called_train(tmp_path, write_picture):
    for name in ("bus", "train"):
        write_picture(tmp_path / "set" / name / "a.png")
    assert read_class_folders(tmp_path / "set").class_names == ("bus", "train")


@pytest.mark.parametrize("below", ["pets", "archive/pets"])
def test_a_set_in_folders_of_its_own_is_found(folder_set, tmp_path, below):
    (tmp_path / "outer" / below).parent.mkdir(parents=True)
    folder_set.rename(tmp_path / "outer" / below)
    inner = load_dataset(DatasetSettings(source=str(tmp_path / "outer" / below)))
    outer = load_dataset(DatasetSettings(source=str(tmp_path / "outer")))
    assert outer.fingerprint == inner.fingerprint
    assert outer.notes == (f"The dataset was found in {tmp_path / 'outer' / below}.", *inner.notes)


def test_a_set_beside_other_folders_is_pointed_at(folder_set, tmp_path):
    (tmp_path / "outer" / "docs").mkdir(parents=True)
    folder_set.rename(tmp_path / "outer" / "pets")
    with pytest.raises(DataError, match=r"outer/pets holds test and train and validation: give .*outer/pets if it is"):
        load_dataset(DatasetSettings(source=str(tmp_path / "outer")))


@pytest.fixture
def numbered_set(tmp_path, write_picture):
    """Class folders 0 to 11, a picture each."""
    for number in range(12):
        write_picture(tmp_path / "numbers" / str(number) / "a.png")
    return tmp_path / "numbers"


WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven")


@pytest.mark.parametrize("line", ["{name}", "{number} {name}", "{number}\t{name}"])
def test_folders_that_are_numbers_take_names_in_the_order_of_the_numbers(numbered_set, line):
    lines = [line.format(number=number, name=name) for number, name in enumerate(WORDS)]
    (numbered_set / "classnames.txt").write_text("\n".join(lines))
    found = read_class_folders(numbered_set)
    assert found.class_sources == tuple(map(str, range(12))) and found.class_names == WORDS
    assert found.train.sample_name(10) == "10/a.png"


def test_an_order_that_can_be_understood_in_two_ways_is_refused(numbered_set):
    for folder in list(numbered_set.iterdir()):
        folder.rename(numbered_set / f"class_{folder.name}")
    assert read_class_folders(numbered_set).class_names[:3] == ("class 0", "class 1", "class 10")
    (numbered_set / "classnames.txt").write_text("\n".join(WORDS))
    with pytest.raises(DataError, match=r"line 3, may name the class folder 'class_10' .* or 'class_2' "):
        read_class_folders(numbered_set)
    (numbered_set / "classnames.txt").write_text("".join(f"class_{n}\t{name}\n" for n, name in enumerate(WORDS)))
    found = read_class_folders(numbered_set)
    assert (found.class_sources[2], found.class_names[2]) == ("class_10", "ten")


def test_names_that_are_the_folders_words_belong_to_those_folders(folder_set):
    (folder_set / "classnames.txt").write_text("Sea snake\nBullfrog\n")
    found = read_class_folders(folder_set)
    assert dict(zip(found.class_sources, found.class_names, strict=True)) == {
        "bull-frog": "Bullfrog",
        "sea_snake": "Sea snake",
    }


def test_linked_folders_are_followed_once(folder_set, tmp_path, write_picture):
    snakes = folder_set / "train" / "sea_snake"
    for place in (folder_set / "pool", tmp_path / "root" / "more", tmp_path / "elsewhere"):
        write_picture(place / "x.png")
    followed = [folder_set / "pool", folder_set / "pool", tmp_path / "root" / "more"]  # the pool once
    others = [tmp_path / "elsewhere", snakes, folder_set, folder_set / "train" / "bull-frog", tmp_path / "nowhere"]
    for number, target in enumerate([*followed, *others]):
        (snakes / f"link{number}").symlink_to(target)
    found = read_class_folders(folder_set)
    linked = [name for name in found.train.paths.names if "link" in name]
    assert linked == ["train/sea_snake/link0/x.png", "train/sea_snake/link2/x.png"]
    assert ignored(found)[LINKS][0] == 6


def test_names_that_are_not_utf_8(folder_set, write_picture):
    snakes = folder_set / "train" / "sea_snake"
    (snakes / "caf\udce9.png").write_bytes((snakes / "images" / "0.png").read_bytes())
    found = read_class_folders(folder_set)
    assert len(found.train) == 6 and "caf\\udce9.png" in found.ignored.notes()[0]
    (folder_set / "train" / "caf\udce9").mkdir()
    with pytest.raises(DataError, match=r"The class folder caf\\udce9 in .*train has a name that is not UTF-8"):
        read_class_folders(folder_set)
