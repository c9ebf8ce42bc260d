"""Choosing among open_clip's backbones in New experiment, and getting their weights."""

from streamlit.testing.v1 import AppTest

from ballad.store.run_store import RunStore
from ballad.store.tasks import TaskStore, task_id
from tests.helpers.tasks_done import work_on_tasks
from tests.model.conftest import hub_files, no_hub  # noqa: F401

PAGE = "../pages/new_experiment.py"
RN50_WEIGHTS = "timm/resnet50_clip.openai/resolve/main/open_clip_model.safetensors"


def open_page(app: AppTest, *settings: str) -> AppTest:
    if settings:
        app.query_params["set"] = list(settings)
    app.run()
    app.session_state["backbones"] = True
    app.switch_page(PAGE).run()
    assert not app.exception
    return app


def listed(app: AppTest):
    return next(frame.value for frame in app.dataframe if frame.proto.alt == "Backbones of open_clip")


def words(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption, *app.error])


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def test_every_word_narrows_the_list(app: AppTest, hub_files: dict[str, bytes]):  # noqa: F811
    app = open_page(app)
    assert len(listed(app)) > 200
    app.text_input(key="backbone_search").set_value("siglip2-256 B-16").run()
    assert set(listed(app)["Architecture"]) == {"ViT-B-16-SigLIP2-256"}
    assert set(listed(app)["On disk"]) == {"no"}


def test_a_row_fills_the_form(app: AppTest, hub_files: dict[str, bytes]):  # noqa: F811
    app = open_page(app)
    app.text_input(key="backbone_search").set_value("vit-l-14 openai").run()
    place = listed(app)["Architecture"].tolist().index("ViT-L-14-336")
    app.session_state["backbones_vit-l-14 openai"] = {"selection": {"rows": [place], "columns": [], "cells": []}}
    app.run()
    app = press(app, "Use ViT-L-14-336, openai")
    assert app.selectbox(key="form.backbone.name").value == "ViT-L-14-336"
    assert app.text_input(key="form.backbone.pretrained").value == "openai"
    assert app.selectbox(key="form.dataset.source").value == "demo"


def test_missing_weights_are_downloaded_after_a_confirmation(
    app: AppTest,
    store: RunStore,
    hub_files: dict[str, bytes],  # noqa: F811
):
    hub_files[RN50_WEIGHTS] = b"weights"
    app = open_page(app, "backbone.name=RN50")
    assert "The weights of RN50 are not on this machine" in words(app) and "timm/resnet50_clip.openai" in words(app)
    app = press(app, "Download")
    assert "Downloading the weights of RN50" in app.progress[0].text
    work_on_tasks(store)
    app.run()
    assert "not on this machine" not in words(app)
    rows = listed(app).set_index(["Architecture", "Weights"])
    assert rows.at[("RN50-quickgelu", "openai"), "On disk"] == "yes"


def test_without_a_network_the_download_ends_in_a_sentence(app: AppTest, store: RunStore, no_hub: None):  # noqa: F811
    app = press(open_page(app, "backbone.name=RN50"), "Download")
    work_on_tasks(store)
    task = TaskStore(store.database).get(task_id("weights", {"name": "RN50", "pretrained": None}))
    assert task.status == "failed"
    app.run()
    assert "the hub cannot be reached" in words(app)


def test_the_demo_and_its_weights_need_nothing(app: AppTest):
    assert "not on this machine" not in words(open_page(app))
