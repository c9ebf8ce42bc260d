import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from ballad import api
from ballad.analysis.projection import place_class_texts, unit_rows
from ballad.data.catalog import load_dataset
from ballad.errors import DataError, RunError
from ballad.events import CancelToken
from ballad.stages.feature_spaces import FeatureSpace
from ballad.stages.projections import Projection, ProjectionRequest, compute_projection, projection_stage
from ballad.stages.run_folder import RunFolder
from ballad.stages.stage_store import StageStore
from ballad.store.run_store import RunStore
from ballad.store.tasks import TaskStore
from ballad.work.jobs import JobManager
from ballad.work.task_kinds import perform_prediction, perform_projection
from ballad.work.uploads import decode_upload, is_kept, keep_upload, preview_path
from tests.helpers.tiny_experiment import tiny_experiment


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny_images: Path, tiny_backbone: Path) -> tuple[Path, str, str]:
    """A home with a decoupled and a joint run on the same images, and their ids; the images are gone."""
    home = tmp_path_factory.mktemp("home")
    images = home / "images"
    shutil.copytree(tiny_images, images)
    decoupled = api.run(tiny_experiment(images, tiny_backbone, phase_b__placement="both"), home=home)
    joint = api.run(tiny_experiment(images, tiny_backbone, schedule="joint"), home=home)
    for path in images.rglob("*.png"):
        path.write_bytes(bytes(path.stat().st_size))
    return home, decoupled.id, joint.id


def request(*sides: tuple[str, str], **settings) -> ProjectionRequest:
    return ProjectionRequest(sides=[{"run": run, "model": model} for run, model in sides], **settings)


def quiet(share: float, doing: str) -> None:
    """Nobody watches."""


def test_joint_and_decoupled_lie_side_by_side_without_any_image(finished) -> None:
    home, decoupled, joint = finished
    wanted = request((joint, "joint"), (decoupled, "ballad"))
    stage = compute_projection(home, wanted)
    found = Projection.read(StageStore(home).folder(stage))
    left, right = (found.points[found.points["panel"] == panel] for panel in (0, 1))
    assert left["sample"].tolist() == right["sample"].tolist() == list(range(16))
    for points, run, model in ((left, joint, "joint"), (right, decoupled, "ballad")):
        said = RunFolder.of(home, run).predictions(model, "test")
        assert points["correct"].tolist() == said.correct.tolist()
        assert points["class_id"].tolist() == said.labels.tolist()
    assert np.isfinite(found.points[["x", "y"]]).all(axis=None)
    # Procrustes: the second map lies on the first.
    assert np.allclose(left[["x", "y"]].mean(), right[["x", "y"]].mean(), atol=1e-3)
    assert found.anchors.groupby("panel").size().tolist() == [4, 4]
    space = FeatureSpace(RunFolder.of(home, decoupled).plan(), "ballad", StageStore(home))
    texts = space.class_texts()
    images, layout = space.image_features("test"), right[["x", "y"]].to_numpy()
    anchors = found.anchors.query("panel == 1")[["x", "y"]].to_numpy()
    assert anchors == pytest.approx(place_class_texts(layout, images, texts - texts.mean(axis=0)), abs=1e-4)
    assert found.summary.groupby("panel")["group"].apply(list).tolist() == [["many", "medium", "few", "all"]] * 2


def test_chosen_classes_are_the_only_ones_on_the_map(finished) -> None:
    home, decoupled, _ = finished
    stage = compute_projection(home, request((decoupled, "zero_shot"), classes=(3, 0)))
    found = Projection.read(StageStore(home).folder(stage))
    assert set(found.points["class_id"]) == {0, 3} == set(found.silhouettes["class_id"])
    assert found.anchors["class_id"].tolist() == [0, 3]


def test_methods_share_neighbours_and_the_same_request_is_answered_at_once(finished) -> None:
    home, decoupled, _ = finished
    wanted = request((decoupled, "phase_a"), classes=(0, 1, 2))
    stages = StageStore(home)
    before = set(stages.table().query("kind == 'neighbourhood'")["key"])
    stage = compute_projection(home, wanted)
    created = stages.manifest(stage)["created"]
    other = compute_projection(home, wanted.model_copy(update={"perplexity": 5.0, "seed": 1}))
    assert other.key != stage.key
    assert len(set(stages.table().query("kind == 'neighbourhood'")["key"]) - before) == 1
    assert compute_projection(home, wanted).key == stage.key
    assert stages.manifest(stage)["created"] == created


def test_settings_of_the_other_method_make_no_other_map(finished) -> None:
    home, decoupled, _ = finished
    plain = request((decoupled, "ballad"))
    assert projection_stage(home, plain.model_copy(update={"n_neighbors": 40})) == projection_stage(home, plain)
    assert projection_stage(home, plain.model_copy(update={"perplexity": 9.0})) != projection_stage(home, plain)


def test_the_adapter_shapes_the_space_as_it_shaped_the_predictions(finished) -> None:
    home, decoupled, joint = finished
    for run, model in ((decoupled, "ballad"), (joint, "joint")):
        folder = RunFolder.of(home, run)
        space = FeatureSpace(folder.plan(), model, StageStore(home))
        images, texts = space.image_features("test"), space.class_texts()
        cosine = images @ (texts / np.linalg.norm(texts, axis=1, keepdims=True)).T
        assert cosine.argmax(axis=1).tolist() == folder.predictions(model, "test").predicted.tolist()


def test_the_nearest_head_is_found_even_where_the_map_leaves_heads_out(finished, tmp_path) -> None:
    home, decoupled, _ = finished
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    path = copy / "runs" / decoupled / "ballad" / "classes-test.csv"
    # As if red, the class with the most images, were many-shot.
    path.write_text(path.read_text().replace("red,medium", "red,many"))
    stage = compute_projection(copy, request((decoupled, "ballad"), classes=(0, 1, 2), seed=5))
    found = Projection.read(StageStore(copy).folder(stage))
    assert set(found.head_distances["nearest_head_name"]) == {"red"}
    few = found.summary.set_index("group").loc["few", "head_distance"]
    assert few == pytest.approx(found.head_distances["distance"].mean())


def test_too_few_images_are_refused_with_a_sentence(finished) -> None:
    home, decoupled, _ = finished
    with pytest.raises(RunError, match="at least 5 images, but only 4 were chosen"):
        compute_projection(home, request((decoupled, "ballad"), classes=(2,)))


def test_a_class_that_the_run_lacks_is_refused(finished) -> None:
    home, decoupled, _ = finished
    with pytest.raises(RunError, match="has no class 7"):
        compute_projection(home, request((decoupled, "ballad"), classes=(0, 7)))


def test_runs_on_other_images_do_not_go_side_by_side(finished, tiny_backbone, tiny_images, tmp_path) -> None:
    home, decoupled, _ = finished
    fewer = tmp_path / "fewer"
    shutil.copytree(tiny_images, fewer)
    (fewer / "test" / "red" / "0.png").unlink()
    other = api.run(tiny_experiment(fewer, tiny_backbone, schedule="zero_shot"), home=home)
    with pytest.raises(RunError, match="not evaluated on the same images"):
        compute_projection(home, request((decoupled, "ballad"), (other.id, "zero_shot")))


def test_a_removed_stage_is_named(finished, tmp_path) -> None:
    home, decoupled, _ = finished
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    shutil.rmtree(copy / "stages" / "features")
    with pytest.raises(RunError, match=r"stage features .* was removed"):
        compute_projection(copy, request((decoupled, "ballad")))


def test_a_projection_tells_how_far_it_is(finished) -> None:
    home, decoupled, _ = finished
    told: list[tuple[float, str]] = []
    arguments = request((decoupled, "zero_shot"), (decoupled, "ballad"), seed=8).arguments()
    result = perform_projection(home, arguments, report=lambda *step: told.append(step), cancel=CancelToken())
    assert result == {"stage": projection_stage(home, ProjectionRequest.model_validate(arguments)).key}
    shares = [share for share, _ in told]
    assert shares == sorted(shares) and shares[0] >= 0 and shares[-1] <= 1
    assert "Laying out 16 images, map 2 of 2" in told[-1][1]


def test_an_uploaded_picture_is_classified_and_its_neighbours_found(finished, tiny_images: Path) -> None:
    home, decoupled, joint = finished
    name = keep_upload(home, (tiny_images / "train" / "red" / "0.png").read_bytes())
    arguments = {"run": decoupled, "upload": name}
    answer = perform_prediction(home, arguments, report=quiet, cancel=CancelToken())
    assert list(answer["ranked"]) == ["zero_shot", "phase_a", "ballad"]
    for ranked in answer["ranked"].values():
        assert sum(probability for _, probability in ranked) == pytest.approx(1)  # four classes, five places
    plan = RunFolder.of(home, decoupled).plan()
    training = load_dataset(plan.experiment.dataset).train
    own = next(index for index in range(len(training)) if training.sample_name(index).endswith("red/0.png"))
    directions = unit_rows(FeatureSpace(plan, "ballad", StageStore(home)).image_features("train"))
    expected = directions @ directions[own]
    nearest, similarity = zip(*answer["nearest"], strict=True)
    assert similarity == pytest.approx(np.sort(expected)[::-1][: len(nearest)], abs=2e-3)
    assert similarity == pytest.approx(expected[list(nearest)], abs=2e-3)
    assert preview_path(home, name).exists()
    # Joint training keeps no features of its training pictures.
    assert perform_prediction(home, {"run": joint, "upload": name}, report=quiet, cancel=CancelToken())["nearest"] == []


def test_an_upload_that_is_no_picture_or_no_upload_is_refused(tmp_path: Path) -> None:
    name = keep_upload(tmp_path, b"<script>alert(1)</script>")
    with pytest.raises(DataError, match="The uploaded picture cannot be read"):
        decode_upload(tmp_path, name)
    (tmp_path / "secret").write_text("x")
    for wrong in ("../secret", "0" * 64, str(tmp_path / "secret")):
        assert not is_kept(tmp_path, wrong)
        with pytest.raises(DataError, match="no longer there"):
            decode_upload(tmp_path, wrong)


def test_a_projection_travels_through_the_queue(finished) -> None:
    home, decoupled, _ = finished
    store = RunStore(home)
    tasks = TaskStore(store.database)
    wanted = request((decoupled, "ballad"), seed=21)
    task = tasks.ask("projection", wanted.arguments())
    with JobManager(store, devices=["cpu"]):
        deadline = time.monotonic() + 60
        while tasks.get(task.id).active and time.monotonic() < deadline:
            time.sleep(0.05)
    assert tasks.get(task.id).status == "done"
    assert StageStore(home).present(projection_stage(home, wanted))
