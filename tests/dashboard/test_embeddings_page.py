"""The page Embeddings: from nothing to maps side by side, with the numbers beside them."""

import json

import pytest
from streamlit.typing import PlotlyState

from ballad.store import queries
from dashboard.reading.loaders import evaluation
from dashboard.views.confusion.confusion_view import Side
from dashboard.views.embeddings.embedding_pack import kept_maps
from dashboard.views.embeddings.figure_six import FigureSix, find_figure_six
from tests.helpers.run_folders import finished
from tests.helpers.shown import page_opener
from tests.helpers.stored_runs import done, failed
from tests.helpers.tasks_done import work_on_tasks

open_page = page_opener("embeddings")


def button(app, label: str):
    return next(button for button in app.button if button.label == label)


def words(app) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption, *app.info, *app.error])


def map_shown(app) -> dict:
    (sent,) = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    return json.loads(sent["figure"])


@pytest.fixture
def ids(trained) -> dict[str, str]:
    return dict(queries.runs(trained)[["name", "id"]].itertuples(index=False))


def test_without_a_finished_run_it_invites(app, store):
    failed(store, "No.")
    assert "No finished run yet" in words(open_page(app))


def test_a_map_is_computed_once_on_request_and_then_shown(app, trained, ids):
    app = open_page(app, left=ids["decoupled"], right=ids["decoupled"], classes="All classes")
    assert not app.get("bidi_component")
    button(app, "Compute this map").click().run()
    assert "Waiting for its turn" in app.get("progress")[0].text
    work_on_tasks(trained)
    app.run()
    assert not app.exception
    (packed,), (separation,) = kept_maps({ids["decoupled"]: "mine", ids["joint"]: "other"})
    assert (
        packed.title
        == "Image features projected onto a plane (t-SNE), 32 points: Zero-shot of mine and BALLAD of mine, test split."
    )
    assert len(packed.figure.data) and separation.frame["Group"].tolist()
    assert kept_maps({ids["joint"]: "other"}) == ([], [])
    panels = [annotation["text"].split("<br>") for annotation in map_shown(app)["layout"]["annotations"]]
    label = f"decoupled · {ids['decoupled']}"
    assert [" ".join(lines[:-3]) for lines in panels] == [f"Zero-shot of {label}", f"BALLAD of {label}"]
    assert panels[0][-3] == "n = 16 images"
    assert panels[0][-2] == f"few-shot silhouette {app.metric[0].value.split(' → ')[0]}"
    silhouettes = app.dataframe[1].value
    assert silhouettes["Class"].tolist() == ["blue", "green", "grey", "red"]
    assert {"Silhouette, Zero-shot", "Silhouette, BALLAD"} <= set(silhouettes)
    again = open_page(app, left=ids["decoupled"], right=ids["decoupled"], classes="All classes")
    assert map_shown(again) and "Compute this map" not in [button.label for button in again.button]


def test_figure_six_is_one_click(app, trained, ids):
    app = open_page(app)
    button(app, "Figure 6").click().run()
    assert not app.exception
    work_on_tasks(trained)
    app.run()
    titles = [annotation["text"] for annotation in map_shown(app)["layout"]["annotations"]]
    assert titles[0].startswith("Joint of joint") and titles[1].startswith("BALLAD of decoupled")
    per_class = evaluation(ids["joint"], "joint", "test").per_class
    confused = per_class[(per_class["group"] == "few") & (per_class["accuracy"] < 100)]["class_name"]
    shown = {trace["name"] for trace in map_shown(app)["data"]} - {"class text"}
    assert shown == set(confused)
    assert len(app.main.metric) == 3


def test_figure_six_says_what_it_lacks_and_offers_to_train_it(app, trained, ids):
    trained.delete(ids["joint"])
    app = open_page(app)
    assert button(app, "Figure 6").disabled and "a joint run on the same images" in button(app, "Figure 6").help
    button(app, "Train the joint run for it").click().run()
    (run,) = trained.queued()
    assert run.experiment.schedule == "joint"
    assert run.experiment.dataset == trained.get(ids["decoupled"]).experiment.dataset


def listed(store):
    runs = queries.runs(store, statuses=["done"])
    return runs.assign(label=runs["name"])


def side(run_id: str) -> Side:
    return Side(run_id, run_id, "ballad")


def test_figure_six_is_found_beside_a_later_run_that_has_no_pair(trained, ids):
    later = done(trained, name="later")
    pair = (ids["joint"], ids["decoupled"], ())
    assert find_figure_six(listed(trained), [side(later)]) == FigureSix(*pair, later)
    assert find_figure_six(listed(trained), [side(ids["decoupled"])]) == FigureSix(*pair, None)


def test_figure_six_prefers_runs_that_differ_in_the_schedule_alone(store, tiny_images):
    alike = [finished(store, tiny_images, {}, schedule=schedule, seed=1) for schedule in ("joint", "decoupled")]
    other = finished(store, tiny_images, {}, seed=2)
    twin = finished(store, tiny_images, {}, seed=1, name="the same again")
    assert find_figure_six(listed(store), [side(other)]) == FigureSix(alike[0], twin, (), other)
    assert find_figure_six(listed(store), [side(alike[1])]) == FigureSix(*alike, (), None)
    assert find_figure_six(listed(store), [side(alike[0])]).alone is None


def test_figure_six_says_in_what_its_runs_differ_too(app, store, tiny_images):
    joint = finished(store, tiny_images, {}, name="joint", schedule="joint", seed=1, phase_b__residual_factor=0.5)
    decoupled = finished(store, tiny_images, {}, name="decoupled")
    differing = ("phase_b.residual_factor", "seed")
    found = find_figure_six(listed(store), [side(decoupled)])
    assert (found.joint, found.decoupled, set(found.differing), found.alone) == (
        joint,
        decoupled,
        set(differing),
        decoupled,
    )
    assert "These two also differ in " in words(open_page(app, left=decoupled, right=decoupled))
    button(app, "Train the joint run for it").click().run()
    (queued,) = store.queued()
    assert queued.experiment.seed == 0 and queued.experiment.phase_b.residual_factor == 0.2


def test_a_failure_is_told_and_can_be_tried_again(app, trained, ids):
    app = open_page(app, left=ids["decoupled"], right=ids["decoupled"], classes="By hand")
    assert "Choose the classes to map." in words(app)
    app.multiselect(key="class").set_value(["blue"]).run()
    button(app, "Compute this map").click().run()
    work_on_tasks(trained)
    app.run()
    assert "at least 5 images, but only 4 were chosen" in words(app)
    button(app, "Try again").click().run()
    assert "Waiting for its turn" in app.get("progress")[0].text


def test_a_map_can_be_cancelled(app, trained, ids):
    app = open_page(app, classes="All classes")
    button(app, "Compute this map").click().run()
    button(app, "Cancel").click().run()
    app.run()
    assert not app.exception and button(app, "Compute this map")


def test_selected_points_show_their_pictures(app, trained, ids):
    app = open_page(app, left=ids["decoupled"], right=ids["decoupled"], classes="All classes")
    button(app, "Compute this map").click().run()
    work_on_tasks(trained)
    app.session_state["chart_wrapper_failed"] = True
    app.session_state["map_plain"] = PlotlyState(
        {"selection": {"points": [{"curve_number": 0, "point_index": 1}], "point_indices": [], "box": [], "lasso": []}}
    )
    app.run()
    assert not app.exception
    assert "1 selected image" in words(app)
    spec = json.loads(app.get("plotly_chart")[0].proto.spec)
    sample = spec["data"][0]["customdata"][1] if isinstance(spec["data"][0]["customdata"], list) else 1
    assert f'/{ids["decoupled"]}/test/{sample}"' in "".join(element.value for element in app.get("html"))
