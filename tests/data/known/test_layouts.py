"""ImageNet-LT, Places-LT and iNaturalist 2018 in each of their two layouts."""

import json

import pytest

from ballad.data.catalog import CATALOG, load_dataset
from ballad.data.known.places import readable_category
from ballad.errors import DataError
from ballad.sections import DatasetSettings


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


def load(name):
    return load_dataset(DatasetSettings(source=name))


def write_lists(folder, prefix, **lines):
    folder.mkdir(parents=True, exist_ok=True)
    for split, listed in lines.items():
        (folder / f"{prefix}_{split}.txt").write_text("".join(f"{line}\n" for line in listed))


@pytest.fixture
def imagenet(root, write_picture):
    """Lists of two synsets, a names file of two, and pictures where ``place`` puts the listed paths."""

    def write(place):
        folder = root / "ImageNet_LT"
        synsets = ("n01440764", "n01443537")
        train = [f"train/{synset}/{synset}_{n}.JPEG {label}" for label, synset in enumerate(synsets) for n in range(3)]
        val = [f"train/{synset}/{synset}_9.JPEG {label}" for label, synset in enumerate(synsets)]
        test = [f"val/{synset}/ILSVRC2012_val_0000000{label}.JPEG {label}" for label, synset in enumerate(synsets)]
        write_lists(folder, "ImageNet_LT", train=train, val=val, test=test)
        for line in train + val + test:
            write_picture(folder / place(line.split()[0]), format="JPEG")
        return folder

    return write


@pytest.mark.parametrize(
    "place", [lambda name: name, lambda name: f"val/{name.split('/')[-1]}" if name.startswith("val") else name]
)
def test_imagenet_with_synset_folders_and_with_a_flat_validation(imagenet, place):
    folder = imagenet(place)
    (folder / "classnames.txt").write_text("n01440764 tench\nn01443537 goldfish\n")
    dataset = load("imagenet-lt")
    assert dataset.class_names == ("tench", "goldfish")
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (6, 2, 2)
    assert dataset.test.paths[1] == folder / place("val/n01443537/ILSVRC2012_val_00000001.JPEG")
    assert dataset.notes[0] == "The train split has 6 images; the literature's has 115,846."


def test_a_missing_picture_and_a_label_without_a_name(imagenet):
    folder = imagenet(lambda name: name)
    (folder / "classnames.txt").write_text("tench\ngoldfish\n")
    (folder / "train/n01443537/n01443537_1.JPEG").unlink()
    with pytest.raises(DataError, match=r"The image train/n01443537/n01443537_1.JPEG is missing in .*ImageNet_LT"):
        load("imagenet-lt")
    (folder / "classnames.txt").write_text("tench\n")
    with pytest.raises(DataError, match=r"ImageNet_LT_train.txt, line 4: label 1 has no class name"):
        load("imagenet-lt")


def test_imagenet_names_come_with_open_clip(imagenet):
    found = CATALOG["imagenet-lt"].read(imagenet(lambda name: name))
    assert (len(found.class_names), found.class_names[1], found.class_names[744]) == (1000, "goldfish", "missile")


def test_imagenet_without_its_lists(imagenet):
    folder = imagenet(lambda name: name)
    (folder / "ImageNet_LT_val.txt").unlink()
    with pytest.raises(DataError, match=r"ImageNet-LT lacks ImageNet_LT_val.txt in .*ImageNet_LT\. Get ILSVRC2012"):
        load("imagenet-lt")


def easy(name):
    return name


def standard(name):
    top, category, file = name.split("/")
    return f"val_256/{file}" if top == "val" else f"data_256/{category[0]}/{category.replace('-', '/')}/{file}"


def large(name):
    return standard(name).replace("_256", "_large")


@pytest.mark.parametrize("place", [easy, standard, large])
def test_places_in_the_easy_and_the_standard_layout(root, write_picture, place):
    train = [
        f"train/{name}/0000000{n}.jpg {label}" for label, name in enumerate(("alley", "stage-indoor")) for n in (1, 2)
    ]
    val = ["train/alley/00000009.jpg 0", "train/stage-indoor/00000009.jpg 1"]
    test = ["val/alley/Places365_val_00000001.jpg 0", "val/stage-indoor/Places365_val_00000002.jpg 1"]
    folder = root / "places365_standard"
    write_lists(folder, "Places_LT", train=train, val=val, test=test)
    for line in train + val + test:
        write_picture(folder / place(line.split()[0]))
    dataset = load("places-lt")
    assert dataset.class_names == ("alley", "indoor stage")
    assert dataset.train.paths[2] == folder / place("train/stage-indoor/00000001.jpg")
    assert dataset.test.paths[1] == folder / place("val/stage-indoor/Places365_val_00000002.jpg")


def test_places_without_pictures(root):
    write_lists(root / "places-lt", "Places_LT", train=[], val=[], test=[])
    assert CATALOG["places-lt"].status().message.startswith("Places-LT lacks train, val in")
    (root / "places-lt" / "data_large").mkdir()
    assert CATALOG["places-lt"].status().message.startswith("Places-LT lacks val_256 in")


def test_a_malformed_line_of_places(root):
    write_lists(root / "places-lt", "Places_LT", train=["train/alley/1.jpg zero"], val=[], test=[])
    for name in ("train", "val"):
        (root / "places-lt" / name).mkdir()
    with pytest.raises(DataError, match=r"Places_LT_train.txt, line 1: expected 'train/category/file.jpg label'"):
        load("places-lt")


@pytest.mark.parametrize(
    ("category", "words"),
    [
        ("airplane_cabin", "airplane cabin"),
        ("apartment_building-outdoor", "outdoor apartment building"),
        ("stadium-baseball", "baseball stadium"),
        ("elevator-door", "elevator door"),
    ],
)
def test_places_categories_in_words(category, words):
    assert readable_category(category) == words


PICTURES = {
    "train": [("train_val2018/Aves/0/a.jpg", 0), ("train_val2018/Aves/0/b.jpg", 0), ("train_val2018/Fungi/1/c.jpg", 1)],
    "val": [("train_val2018/Aves/0/d.jpg", 0), ("train_val2018/Fungi/1/e.jpg", 1)],
}


@pytest.fixture
def inaturalist(root, write_picture):
    folder = root / "inaturalist2018"
    for pictures in PICTURES.values():
        for name, _ in pictures:
            write_picture(folder / name)
    (folder / "categories.json").write_text(
        json.dumps([{"id": 1, "name": "Boletus edulis"}, {"id": 0, "name": "Parus major"}])
    )
    return folder


def with_lists(folder):
    lines = {split: [f"{name} {label}" for name, label in pictures] for split, pictures in PICTURES.items()}
    write_lists(folder, "iNaturalist18", **lines)


def with_annotations(folder):
    for split, pictures in PICTURES.items():
        images = [{"id": 100 + n, "file_name": name} for n, (name, _) in enumerate(pictures)]
        annotations = [{"image_id": 100 + n, "category_id": label} for n, (_, label) in enumerate(pictures)]
        (folder / f"{split}2018.json").write_text(json.dumps({"images": images[::-1], "annotations": annotations}))


@pytest.mark.parametrize("prepare", [with_lists, with_annotations])
def test_inaturalist_with_lists_and_with_annotations(inaturalist, prepare):
    prepare(inaturalist)
    dataset = load("inaturalist2018")
    assert dataset.class_names == ("Parus major", "Boletus edulis")
    assert dataset.class_counts.tolist() == [2, 1]
    assert (dataset.val, dataset.test.sample_name(1)) == (None, "train_val2018/Fungi/1/e.jpg")
    assert "There is no separate test split, so the validation split is used for testing." in dataset.notes


def test_inaturalist_without_names(inaturalist):
    with_annotations(inaturalist)
    (inaturalist / "categories.json").unlink()
    with pytest.raises(DataError, match=r"iNaturalist 2018 lacks categories.json in"):
        load("inaturalist2018")


@pytest.mark.parametrize("categories", [[{"id": 1, "name": "a"}, {"id": 2, "name": "b"}], [{"name": "a"}], {"a": 1}])
def test_categories_that_do_not_name_the_labels(inaturalist, categories):
    with_annotations(inaturalist)
    (inaturalist / "categories.json").write_text(json.dumps(categories))
    with pytest.raises(DataError, match=r"categories.json must hold a list of categories, each with a 'name' and an"):
        load("inaturalist2018")


def test_an_annotation_without_its_image(inaturalist):
    with_annotations(inaturalist)
    (inaturalist / "val2018.json").write_text(json.dumps({"images": [], "annotations": [{"image_id": 5}]}))
    with pytest.raises(DataError, match=r"val2018.json is not an iNaturalist annotation file"):
        load("inaturalist2018")
