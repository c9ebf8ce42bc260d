"""The page Confusion: pairs, cells with their pictures, differences, classes."""

import shutil

import numpy as np
import pytest

from ballad.home import run_dir
from dashboard.views.confusion.confusion_view import cell_words, parse_cell
from tests.helpers.run_folders import BLUE, GREEN, GREY, RED, finished, keep_class_text
from tests.helpers.shown import charts, page_opener, pictures
from tests.helpers.stored_runs import failed

open_page = page_opener("confusion")
# Test images 0–3 are blue, 4–7 green, 8–11 grey, 12–15 red.
ANSWERS = {
    "zero_shot": {0: RED, 1: RED, 8: RED, 9: RED, 10: RED},
    "phase_a": {0: RED, 8: RED, 9: RED},
    "ballad": {0: GREEN, 8: RED, 9: RED, 10: BLUE},
}


@pytest.fixture
def run(store, tiny_images) -> str:
    return finished(store, tiny_images, ANSWERS, name="tiny")


def address(run: str, index: int) -> str:
    return f'"/workbench/thumbnails/{run}/test/{index}"'


def subheaders(app) -> list[str]:
    return [element.value for element in app.subheader]


def metrics(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_an_empty_store_says_what_will_be_here(app):
    app = open_page(app)
    assert any("No finished run yet" in element.value for element in app.markdown)


def test_a_later_run_that_failed_is_not_what_the_page_shows_first(app, store, run):
    failed(store, "No.", name="broken")
    app = open_page(app)
    assert app.query_params["run"] == run and metrics(app)


def test_the_final_model_on_test_comes_first(app, run):
    app = open_page(app)
    assert metrics(app)["Accuracy"] == "75.0 %"
    pairs = app.dataframe[0].value
    assert pairs[["true_name", "predicted_name", "count", "rate"]].values.tolist() == [
        ["grey", "red", 2, 50.0],
        ["blue", "green", 1, 25.0],
        ["grey", "blue", 1, 25.0],
    ]
    assert charts(app)["Shot groups predicted for the images of each shot group"]["data"][0]["y"] == ["medium", "few"]


def test_a_link_to_a_run_that_is_not_here_says_so(app, run):
    app = open_page(app, run="gone")
    assert "gone cannot be shown here" in app.warning[0].value
    assert not app.run().warning


def test_a_link_chooses_model_and_split(app, run):
    assert metrics(open_page(app, run=run, model="Zero-shot"))["Accuracy"] == "68.8 %"


def test_validation_without_an_error(app, run):
    app = open_page(app, run=run, split="Validation", show="Most confused")
    assert "No image is misclassified" in app.success[0].value


def test_a_cell_shows_its_pictures_and_what_every_model_said(app, run):
    app = open_page(app, cell=f"{GREY}-{RED}")
    assert app.query_params["cell"] == ["grey", "red"]  # a link of the first release, from now on by name
    assert "grey, taken for red" in subheaders(app)
    shown = pictures(app)
    assert [index for index in range(16) if address(run, index) in shown] == [8, 9]
    assert shown.count("Zero-shot: red") == shown.count("Phase A: red") == shown.count("BALLAD: red") == 2
    assert "70.0 %" in shown and "10.0 %" in shown


def test_a_link_to_no_cell_shows_none(app, run):
    app = open_page(app, cell="99-0")
    assert not pictures(app) and any("99-0" in caption.value for caption in app.caption)


def test_a_cell_is_known_by_its_names():
    names = ["blue", "green-2", "3-1", "red"]
    for true in range(4):
        for predicted in range(4):
            assert parse_cell(cell_words(true, predicted, names), names) == (true, predicted)
    assert parse_cell(["green-2", "red"], ["red", "cat", "green-2"]) == (2, 0)
    assert parse_cell(["blue", "red"], ["red", "cat", "green-2"]) is None
    assert parse_cell(["1-2"], names) == (1, 2)
    assert [parse_cell(words, names) for words in (["-1-2"], ["4-0"], ["x"], [], ["a", "b", "c"])] == [None] * 5


def test_the_difference_of_two_models_tells_new_from_gone(app, run):
    app = open_page(app, difference="true", cell=f"{GREY}-{RED}")
    changes = app.dataframe[0].value.set_index(["true_name", "predicted_name"])["change"]
    assert changes.to_dict() == {
        ("blue", "red"): -2,
        ("grey", "red"): -1,
        ("blue", "green"): 1,
        ("grey", "blue"): 1,
    }
    kinds = next(group for group in app.get("button_group") if group.label == "Images")
    assert kinds.options == ["New (0)", "Gone (1)", "In both (2)"]
    assert address(run, 10) in pictures(app) and address(run, 8) not in pictures(app)


def test_a_difference_to_another_run_tells_what_that_one_said(app, store, run, tiny_images):
    other = finished(store, tiny_images, {"ballad": {8: GREEN}}, name="other")
    app = open_page(app, run=run, against=other, against_model="BALLAD", difference="true", cell=f"{GREY}-{RED}")
    assert pictures(app).count(f"BALLAD of other · {other}: green") == 1


def test_calibration_is_drawn_when_asked_for(app, run):
    drawn = charts(open_page(app, calibration="true"))["Accuracy against confidence of each model"]
    names = {trace["name"] for trace in drawn["data"]}
    assert names == {"perfectly calibrated", "Zero-shot (n = 16)", "Phase A (n = 16)", "BALLAD (n = 16)"}


def test_runs_on_other_images_cannot_be_subtracted(app, store, run, tiny_images, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(tiny_images, other)
    (other / "test" / "red" / "0.png").unlink()
    second = finished(store, other, {}, name="other")
    app = open_page(app, run=run, against=second, difference="true")
    assert "not evaluated on the same images" in app.info[0].value
    assert not app.main.metric


def test_a_class_with_its_neighbours_and_pictures(app, run):
    app = open_page(app, **{"class": "grey"})
    shown = metrics(app)
    assert "The class grey" in subheaders(app)
    assert [shown[name] for name in ("Shot group", "Training images", "Recall", "Precision")] == [
        "few",
        "3",
        "25.0 %",
        "100.0 %",
    ]
    neighbours = app.dataframe[1].value.set_index("class_name")
    assert neighbours["taken_for_it"].to_dict() == {"red": 2, "blue": 1}
    shown = pictures(app)
    assert shown.count(f"/workbench/thumbnails/{run}/train/") == 3
    assert shown.count("<figcaption>taken for red") == 2
    assert any("Missed: 3 images" in text.value for text in app.markdown)


def test_a_class_does_not_become_another_sets_of_its_number(app, store, run, tiny_images, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(tiny_images, other)
    for split in ("train", "val", "test"):
        (other / split / "grey").rename(other / split / "indigo")
    second = finished(store, other, {}, name="other")
    app = open_page(app, run=run, **{"class": "grey"})
    app.selectbox(key="current_run").set_value(second).run()
    assert app.selectbox(key="class").value is None
    assert not [name for name in subheaders(app) if name.startswith("The class")]


def test_similarity_puts_alike_texts_beside_each_other(app, store, run):
    angles = np.deg2rad([0, 90, 5, 100])  # blue and grey are alike, green and red are
    keep_class_text(store, run, np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32))
    labels = charts(open_page(app, order="Similarity"))["Confusion of classes"]["data"][0]["x"]
    assert {frozenset(labels[:2]), frozenset(labels[2:])} == {frozenset({"blue", "grey"}), frozenset({"green", "red"})}


def test_similarity_without_texts_says_so(app, run):
    app = open_page(app, order="Similarity")
    assert "choose another order" in app.error[0].value
    assert app.dataframe  # the pairs stay


def test_a_run_whose_folder_is_gone_says_so(app, store, run):
    shutil.rmtree(run_dir(store.home, run))
    assert f"no finished run '{run}'" in open_page(app).error[0].value


@pytest.mark.parametrize("happened", ["moved", "grown"])
def test_pictures_that_the_run_did_not_see_are_not_shown(app, store, tiny_images, tmp_path, happened):
    images = tmp_path / "images"
    shutil.copytree(tiny_images, images)
    finished(store, images, ANSWERS)
    if happened == "moved":
        images.rename(tmp_path / "elsewhere")
    else:
        shutil.copy(images / "test" / "red" / "0.png", images / "test" / "blue" / "!.png")
    app = open_page(app, cell=["blue", "green"])
    sentence = app.error[0].value
    assert str(images) in sentence
    assert ("has changed since the run read it" if happened == "grown" else "There is no folder") in sentence
    assert "<img" not in pictures(app) and "Best of BALLAD" in pictures(app)


def test_names_from_a_dataset_cannot_become_markup(app, store, tiny_images, tmp_path):
    hostile = tmp_path / "hostile"
    shutil.copytree(tiny_images, hostile)
    for split in ("train", "val", "test"):
        (hostile / split / "grey").rename(hostile / split / "<img src=x>")
    finished(store, hostile, {"ballad": {0: 1}})
    app = open_page(app, cell="0-1")
    assert pictures(app) and "<img src=x>" not in pictures(app)
