"""The page Try a picture: uploads and pictures of the dataset, answered by the worker."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from ballad.data.long_tail import LongTailDataset, Split
from ballad.store import queries
from dashboard.views.try_a_picture.picture_view import answers_table, find_sample, sample_name
from tests.helpers.shown import page_opener
from tests.helpers.tasks_done import work_on_tasks

open_page = page_opener("try_a_picture")


def words(app) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption, *app.info, *app.error, *app.subheader])


@pytest.fixture
def ids(trained) -> dict[str, str]:
    return dict(queries.runs(trained)[["name", "id"]].itertuples(index=False))


def test_without_a_finished_run_it_invites(app, store):
    assert "No finished run yet" in words(open_page(app))


def test_an_uploaded_picture_is_answered_by_every_model(app, trained, ids, tiny_images):
    data = (tiny_images / "test" / "red" / "0.png").read_bytes()
    app = open_page(app, run=ids["decoupled"])
    app.get("file_uploader")[0].set_value(("../../etc/passwd.png", data, "image/png")).run()
    assert not app.exception
    assert [path.name for path in (trained.home / "uploads").iterdir()] == [hashlib.sha256(data).hexdigest()]
    assert "Asking the models" in app.get("progress")[0].text
    work_on_tasks(trained)
    app.run()
    assert not app.exception
    for title in ("**Zero-shot**", "**Phase A**", "**BALLAD**", "Nearest training pictures"):
        assert title in words(app)
    assert len(app.get("progress")) == 3 * 4  # three models, four classes


def test_a_picture_of_the_dataset_comes_with_its_true_class(app, trained, ids):
    app = open_page(app, run=ids["decoupled"], sample="15")
    work_on_tasks(trained)
    app.run()
    assert not app.exception
    assert "correct" in words(app) or "wrong" in words(app)
    assert app.get("image")[0].captions == ["True class: red"]
    # The link of the first release is from now on one by name, and so it is understood.
    assert app.query_params["sample"] == "test/red/3.png"
    app = open_page(app, run=ids["joint"], sample="test/red/3.png")
    work_on_tasks(trained)
    assert app.run().get("image")[0].captions == ["True class: red"]


def test_what_is_no_picture_is_refused_with_a_sentence(app, trained, ids):
    app = open_page(app, run=ids["decoupled"])
    app.get("file_uploader")[0].set_value(("a.png", b"no picture", "image/png")).run()
    work_on_tasks(trained)
    app.run()
    (error,) = app.error
    assert (
        error.value
        == "The uploaded picture cannot be read: it is not an image in a known format; choose another picture."
    )


@pytest.mark.parametrize(
    "query", [{"picture": "../store.sqlite"}, {"sample": "9999"}, {"sample": "-1"}, {"sample": "a/b"}]
)
def test_a_link_to_no_picture_asks_for_one(app, trained, ids, query):
    app = open_page(app, run=ids["decoupled"], **query)
    assert not app.error and not app.get("progress")


def test_a_run_without_training_features_says_so(app, trained, ids):
    app = open_page(app, run=ids["joint"], sample="0")
    work_on_tasks(trained)
    app.run()
    assert "kept no features of its training pictures" in words(app)


def test_pictures_without_files_are_known_by_their_dataset():
    def decoded(title: str) -> LongTailDataset:
        split = Split("test", np.arange(12) % 2, pixels=np.zeros((12, 4, 4, 3), np.uint8))
        return LongTailDataset("name", title, ("cat", "dog"), replace(split, name="train"), None, split)

    ours, theirs = decoded("CIFAR-10-LT"), decoded("CIFAR-100-LT")
    name = sample_name(ours, "test", 11)
    assert find_sample(ours, "test", name) == 11
    assert find_sample(theirs, "test", name) is None
    assert find_sample(ours, "test", "11") == 11 and find_sample(ours, "test", "12") is None
    assert find_sample(ours, "test", "9" * 5000) is None


def test_the_table_of_answers_has_percentages():
    table = answers_table({"zero_shot": [["cat", 0.75], ["dog", 0.25]], "ballad": [["dog", 1.0]]})
    assert table["Model"].tolist() == ["Zero-shot", "Zero-shot", "BALLAD"]
    assert table["Probability (%)"].tolist() == [75.0, 25.0, 100.0]
    assert table["Rank"].tolist() == [1, 2, 1]
