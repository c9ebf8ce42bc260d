"""The page Data: the catalogue, a dataset's counts and pictures, its check, and its class names."""

import json
import shutil
import threading

import pandas as pd
import pytest

from ballad.data.catalog import CATALOG
from ballad.data.name_edits import names_file, save_class_names
from ballad.errors import Cancelled
from ballad.events import CancelToken
from ballad.experiment import Experiment
from ballad.sections import DatasetSettings
from ballad.store.tasks import TaskStore, task_id
from ballad.work.task_kinds import perform_check
from ballad.work.task_worker import TaskWorker
from dashboard.forms.draft import values_of
from dashboard.pickers.dataset_picker import own_datasets
from dashboard.reading.plans import forget_datasets
from tests.helpers.shown import page_opener, pictures, tables

open_page = page_opener("data")


@pytest.fixture
def pets(tiny_images, tmp_path, monkeypatch) -> str:
    """The name of a folder dataset inside the only data root."""
    root = tmp_path / "root"
    shutil.copytree(tiny_images, root / "pets")
    monkeypatch.setenv("BALLAD_DATA", str(root))
    return "pets"


def metrics(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def words(app) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption, *app.success])


def press(app, label: str):
    next(button for button in app.button if button.label.startswith(label)).click().run()
    assert not app.exception
    return app


def check_now(store) -> None:
    TaskWorker(store, "check", perform_check, stop=threading.Event()).work(drain=True)


def test_the_catalogue_says_what_is_there(app, pets):
    table = tables(open_page(app, dataset=pets))["Datasets of the catalogue"].set_index("Name")
    assert set(table.index) == set(CATALOG)
    assert table.at["demo", "State"] == "available"
    assert table.at["cifar100-lt", "State"] == "can be downloaded"
    assert table.at["imagenet-lt", "State"] == "to be provided"
    assert table.at["imagenet-lt", "Many / medium / few"] == "385 / 479 / 136"


def test_a_missing_dataset_says_what_to_bring_and_how_it_looks(app, pets):
    app = open_page(app, dataset="imagenet-lt")
    assert "ImageNet-LT lacks" in words(app) and "image-net.org" in words(app)
    assert "ImageNet_LT_train.txt" in app.code[0].value
    assert not app.main.metric and not app.error


def test_a_download_waits_for_its_confirmation(app, store, pets):
    app = open_page(app, dataset="cifar100-lt")
    assert "169 MB" in words(app)
    press(app, "Download it now")
    task = TaskStore(store.database).get(task_id("download", {"name": "cifar100-lt"}))
    assert task.status == "queued"
    assert "Downloading CIFAR100-LT" in app.progress[0].text


def test_counts_groups_and_curve_of_a_folder(app, pets):
    app = open_page(app, dataset=pets)
    shown = metrics(app)
    assert shown["Training images"] == "45" and shown["Test images"] == "16"
    assert shown["Many / medium / few classes"] == "0 / 1 / 3" and shown["Imbalance ratio"] == "8"
    sent = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    assert [chart["label"] for chart in sent] == ["Training images of each class"]
    classes = tables(app)["Images of each class"].set_index("class_name")
    assert classes["train_count"].to_dict() == {"blue": 6, "green": 12, "grey": 3, "red": 24}


def test_a_cut_in_the_link_is_applied(app, pets):
    shown = metrics(open_page(app, dataset=pets, ratio="24"))
    assert shown["Imbalance ratio"] == "24"


def test_pictures_of_a_class_come_by_address(app, pets):
    app = open_page(app, dataset=pets, view="Pictures")
    assert app.selectbox(key="class").options == ["blue", "green", "grey", "red"]
    app.selectbox(key="class").set_value("grey").run()
    assert "3 pictures of grey, few-shot" in words(app)
    assert pictures(app).count("/workbench/pictures/train/") == 3


def test_a_chosen_class_is_kept_by_its_name(app, pets, tmp_path):
    more = tmp_path / "root" / "more"
    shutil.copytree(tmp_path / "root" / "pets", more)
    for split in ("train", "val", "test"):
        shutil.copytree(more / split / "red", more / split / "amber")  # becomes the first class
    app = open_page(app, dataset=pets, view="Pictures", **{"class": "grey"})
    app.selectbox(key="dataset").set_value("more").run()
    assert "3 pictures of grey, few-shot" in words(app)
    shutil.rmtree(tmp_path / "root" / "pets" / "train" / "grey")
    for split in ("val", "test"):
        shutil.rmtree(tmp_path / "root" / "pets" / split / "grey")
    forget_datasets()
    app.selectbox(key="dataset").set_value(pets).run()
    assert "6 pictures of blue, few-shot" in words(app)


def test_a_link_opens_the_page_of_the_pictures(app, pets):
    app = open_page(app, dataset=pets, view="Pictures", **{"class": "red", "page_train_3": "2"})
    shown = pictures(app)
    assert [index for index in range(45) if f"/train/{index}?" in shown] == list(range(33, 45))
    # Another class begins with its first page.
    app.selectbox(key="class").set_value("green").run()
    assert [index for index in range(45) if f"/train/{index}?" in pictures(app)] == list(range(6, 18))


@pytest.mark.parametrize("typed", ["/etc", "../..", "nowhere"])
def test_a_path_outside_the_roots_ends_in_a_sentence(app, pets, typed):
    app = open_page(app, dataset=typed)
    assert "data roots" in app.error[0].value
    assert not app.main.metric


def test_the_check_finds_damage_and_leaks(app, store, pets, tmp_path):
    folder = tmp_path / "root" / "pets"
    shutil.copy(folder / "train" / "red" / "0.png", folder / "test" / "red" / "0.png")
    (folder / "train" / "blue" / "1.png").write_bytes(b"not a picture")
    app = open_page(app, dataset=pets, view="Check")
    press(app, "Check the images")
    assert "Checking 73 images" in app.progress[0].text
    check_now(store)
    app.run()
    assert "1 image cannot be read" in app.error[0].value
    assert "1 test or validation image is also trained on" in app.warning[0].value
    assert tables(app)["Unreadable images"]["sample"].tolist() == ["train/blue/1.png"]
    assert tables(app)["Duplicate images"]["train_sample"].tolist() == ["train/red/0.png"]


def test_what_was_ignored_and_what_classes_were_read_from_is_shown(app, pets, tmp_path):
    folder = tmp_path / "root" / "pets"
    (folder / "train" / "red" / "phone.heic").write_bytes(b"")
    (folder / "train" / "red" / ".DS_Store").write_bytes(b"")
    (folder / "classnames.txt").write_text("sky\ngrass\nstone\nfire\n")
    app = open_page(app, dataset=pets)
    assert "format that is not read; convert them to JPEG or PNG: train/red/phone.heic" in app.warning[0].value
    assert "1 file is ignored, left behind by a program: train/red/.DS_Store." in words(app)
    classes = tables(app)["Images of each class"]
    assert dict(zip(classes["source"], classes["class_name"], strict=True)) == {
        "blue": "sky",
        "green": "grass",
        "grey": "stone",
        "red": "fire",
    }


def test_the_check_finds_repeats_and_names_that_are_the_same_tokens(app, store, pets, tmp_path):
    folder = tmp_path / "root" / "pets"
    shutil.copy(folder / "train" / "red" / "0.png", folder / "train" / "blue" / "0.png")
    (folder / "classnames.txt").write_text("Crane\ncrane\nstone\nfire\n")
    press(open_page(app, dataset=pets, view="Check"), "Check the images")
    check_now(store)
    app.run()
    assert "1 image comes more than once in the same split" in app.warning[0].value
    assert "The classes Crane and crane are the same" in app.warning[1].value
    assert tables(app)["Repeated images"]["first_sample"].tolist() == ["train/blue/0.png"]


def test_the_check_reads_class_names_as_the_chosen_backbone_does(app, store, pets, tmp_path, tiny_backbone):
    folder = tmp_path / "root" / "pets"
    (folder / "classnames.txt").write_text("a b c d one\na b c d two\nstone\nfire\n")
    backbone = shutil.copytree(tiny_backbone, tmp_path / "root" / "backbone")
    config = json.loads((backbone / "open_clip_config.json").read_text())
    config["model_cfg"]["text_cfg"]["context_length"] = 8  # "a photo of a" and three more
    (backbone / "open_clip_config.json").write_text(json.dumps(config))
    warned = {}
    for name in ("demo", str(backbone)):
        app.session_state["experiment_draft"] = values_of(Experiment().with_values({"backbone.name": name}))
        press(open_page(app, dataset=pets, view="Check"), "Check the images")
        check_now(store)
        app.run()
        warned[name] = [warning.value for warning in app.warning if "cannot be told apart" in warning.value]
    assert not warned["demo"]
    assert ["a b c d one and a b c d two" in warning for warning in warned[str(backbone)]] == [True]


def test_a_sound_dataset_is_said_to_be_so(app, store, pets):
    app = press(open_page(app, dataset=pets, view="Check"), "Check the images")
    check_now(store)
    app.run()
    assert "Every image can be read" in words(app)
    assert any(button.label == "Check again" for button in app.button)


def test_a_cancelled_check_stops_between_images(store, pets, tmp_path):
    reports = []

    def report(share: float, doing: str) -> None:
        reports.append(doing)
        if len(reports) == 5:
            raise Cancelled

    settings = DatasetSettings(source=str(tmp_path / "root" / "pets")).model_dump(mode="json")
    with pytest.raises(Cancelled):
        perform_check(store.home, {"dataset": settings}, report=report, cancel=CancelToken())
    assert reports[-1] == "Decoding image 4 of 73"


def test_edited_names_are_shown_and_can_be_taken_back(app, pets, tmp_path):
    source = str(tmp_path / "root" / "pets")
    save_class_names(source, {"blue": "sky blue", "green": "green", "grey": "grey", "red": "red"})
    app = open_page(app, dataset=pets, view="Class names")
    assert "These names have been edited" in words(app)
    assert any("sky blue" in table.value.get("class_name", pd.Series(dtype=str)).tolist() for table in app.dataframe)
    press(app, "Back to the dataset's own names")
    assert not names_file(source).exists()
    assert "These names have been edited" not in words(app)


def test_own_datasets_are_what_the_catalogue_does_not_know(pets, tmp_path):
    root = tmp_path / "root"
    for name in ("cifar-100-python", "class_names", ".hidden"):
        (root / name).mkdir()
    (root / "table.csv").write_text("path,label\n")
    (root / "notes.txt").write_text("")
    assert own_datasets() == ["pets", "table.csv"]
