import io

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ballad.data.catalog import load_dataset
from ballad.home import run_dir
from ballad.sections import DatasetSettings
from ballad.stages.plan import Plan
from ballad.stages.run_folder import RunFolder
from dashboard.addresses import address
from dashboard.routes import routes
from dashboard.ui.charts import PLOTLY_SCRIPT
from dashboard.ui.thumbnails import LONGEST_SIDE, dataset_thumbnail_url, thumbnail_url
from tests.helpers.stored_runs import done


@pytest.fixture
def server():
    return TestClient(Starlette(routes=routes()))


@pytest.fixture
def run_on_folder(store, tmp_path) -> str:
    """A run on a folder of two classes with pictures of 300 × 200 pixels."""
    for split, images in (("train", 4), ("test", 2)):
        for name, colour in (("cat", "red"), ("dog", "blue")):
            folder = tmp_path / "pets" / split / name
            folder.mkdir(parents=True)
            for number in range(images):
                Image.new("RGB", (300, 200), colour).save(folder / f"{number}.png")
    run_id = done(store, dataset={"source": str(tmp_path / "pets")})
    experiment = store.get(run_id).experiment
    plan = Plan(experiment, load_dataset(experiment.dataset).fingerprint, "backbone", has_validation=False)
    RunFolder(run_dir(store.home, run_id)).write_plan(plan)
    return run_id


def test_thumbnails_are_small_pictures_of_the_sample(server, run_on_folder):
    answer = server.get(thumbnail_url(run_on_folder, "test", 0))
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/webp"
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.size == (LONGEST_SIDE, 149)
    red, _, blue = picture.convert("RGB").getpixel((100, 70))
    assert red > 200 > 60 > blue


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("nosuchid/test/0", "no run 'nosuchid'"),
        ("{run}/val/0", "has no split 'val'"),
        ("{run}/test/4", "there is no 4"),
        ("{run}/../../etc/passwd", ""),
        ("{run}/test/%2e%2e%2f%2e%2e%2fetc%2fpasswd", ""),
    ],
)
def test_only_known_samples_are_served(server, run_on_folder, where, sentence):
    answer = server.get("/workbench/thumbnails/" + where.format(run=run_on_folder))
    assert answer.status_code == 404
    assert sentence in answer.text and "root:" not in answer.text


def test_a_picture_that_cannot_be_read_is_told_in_a_sentence(server, run_on_folder, tmp_path):
    assert server.get(thumbnail_url(run_on_folder, "test", 1)).status_code == 200
    (tmp_path / "pets" / "test" / "cat" / "0.png").write_bytes(b"not a picture")
    answer = server.get(thumbnail_url(run_on_folder, "test", 0))
    assert answer.status_code == 404 and "0.png" in answer.text


def test_no_picture_is_served_that_the_run_did_not_see_in_its_place(server, run_on_folder, tmp_path):
    cats = tmp_path / "pets" / "test" / "cat"
    Image.new("RGB", (300, 200), "green").save(cats / "!first.png")
    answer = server.get(thumbnail_url(run_on_folder, "test", 0))
    assert answer.status_code == 404 and "has changed since the run read it" in answer.text
    (cats / "!first.png").unlink()
    assert server.get(thumbnail_url(run_on_folder, "test", 0)).status_code == 200


@pytest.fixture
def pets(run_on_folder, tmp_path, monkeypatch) -> DatasetSettings:
    """The same folder, as a dataset inside the data roots."""
    monkeypatch.setenv("BALLAD_DATA", str(tmp_path))
    return DatasetSettings(source=str(tmp_path / "pets"))


def test_pictures_of_a_dataset_need_no_run(server, pets):
    answer = server.get(dataset_thumbnail_url(pets, "train", 0))
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/webp"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("/etc", "outside the data roots"),
        ("../pets", "outside the data roots"),
        ("pets/../../../etc", "outside the data roots"),
        ("nowhere", "does not exist in the data roots"),
    ],
)
def test_pictures_come_from_inside_the_data_roots_only(server, pets, source, sentence):
    answer = server.get(dataset_thumbnail_url(DatasetSettings(source=source), "train", 0))
    assert answer.status_code == 404 and sentence in answer.text


def test_a_link_to_a_picture_outside_the_roots_is_not_followed(server, pets, tmp_path, monkeypatch):
    monkeypatch.setenv("BALLAD_DATA", str(tmp_path / "pets"))
    private = tmp_path / "private" / "0.png"
    private.parent.mkdir()
    linked = tmp_path / "pets" / "train" / "cat" / "0.png"
    linked.rename(private)
    linked.symlink_to(private)
    answer = server.get(dataset_thumbnail_url(pets, "train", 0))
    assert answer.status_code == 404 and "lies outside the data roots" in answer.text
    assert server.get(dataset_thumbnail_url(pets, "train", 1)).status_code == 200


@pytest.mark.parametrize(
    "told",
    [
        "",
        "[]",
        "{",
        '{"source": 3}',
        '{"folder": "/etc"}',
        '{"a":' * 1500,
        "[" * 5000,
        f'{{"source": "{"x" * 10_000}"}}',
    ],
)
def test_an_address_that_names_no_dataset_is_refused_with_a_sentence(server, pets, told):
    answer = server.get("/workbench/pictures/train/0", params={"dataset": told})
    assert answer.status_code == 400 and answer.text.endswith((".", "?"))


def test_plotly_is_served_from_its_own_package(server):
    answer = server.get(address(PLOTLY_SCRIPT))
    assert answer.status_code == 200 and "javascript" in answer.headers["content-type"]
    assert b"plotly.js v" in answer.content[:200]
