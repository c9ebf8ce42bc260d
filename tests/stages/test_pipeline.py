import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ballad.analysis.predictions import Predictions
from ballad.data.long_tail import Split
from ballad.errors import Cancelled, RunError
from ballad.events import CancelToken, EpochEvaluated, Evaluated, Notice, Progress, StageFinished
from ballad.experiment import Experiment
from ballad.stages import compute
from ballad.stages.pipeline import run_experiment
from ballad.stages.prediction import Predictor
from ballad.training import features


@pytest.fixture(scope="module")
def runner(tiny_images: Path, tiny_backbone: Path):
    """Makes the function ``run`` of a home, which runs a tiny experiment with these settings there and returns its
    result, its folder and its events.
    """

    def of(home: Path):
        numbers = itertools.count()

        def run(values=None, **how):
            return go(home, home / "runs" / str(next(numbers)), values, **how)

        return run

    def go(home, folder, values, *, cancel=None, on_event=None, companions=(), images=tiny_images):
        experiment = make(values, images)
        events: list[object] = []

        def tell(event):
            events.append(event)
            if on_event:
                on_event(event)

        result = run_experiment(
            experiment,
            home=home,
            run_dir=folder,
            device="cpu",
            on_event=tell,
            cancel=cancel or CancelToken(),
            companions=[make(other, images) for other in companions],
        )
        return result, folder, events

    def make(values, images) -> Experiment:
        base = {
            "dataset.source": str(images),
            "backbone.name": str(tiny_backbone),
            "phase_a.epochs": 2,
            "phase_a.batch_size": 16,
            "phase_a.learning_rate": 0.01,
            "phase_b.epochs": 3,
            "phase_b.batch_size": 16,
            "phase_b.learning_rate": 0.05,
        }
        return Experiment().with_values({**base, **(values or {})})

    return of


@pytest.fixture
def run(runner, tmp_path: Path):
    """Runs in a home that begins empty."""
    return runner(tmp_path)


@pytest.fixture(scope="module")
def default_run(runner, tmp_path_factory: pytest.TempPathFactory):
    """The decoupled run at its defaults, for tests that only read: its result, its folder and its events."""
    return runner(tmp_path_factory.mktemp("default"))()


@pytest.fixture
def stages_of_default_run(default_run, tmp_path: Path) -> None:
    """The home of ``run`` begins with what the default run has computed."""
    shutil.copytree(default_run[1].parents[1] / "stages", tmp_path / "stages")


def computed(events) -> list[str]:
    return [event.stage for event in events if isinstance(event, StageFinished) and not event.reused]


def test_the_decoupled_chain_end_to_end(default_run):
    result, folder, events = default_run
    assert list(result["accuracies"]) == ["zero_shot", "phase_a", "ballad"]
    assert result["accuracies"]["ballad"]["test"]["many"] is None  # no class has more than 100 images
    assert 0 <= result["accuracies"]["ballad"]["test"]["all"] <= 100
    assert json.loads((folder / "result.json").read_text()) == result
    epochs = [(event.phase, event.epoch) for event in events if isinstance(event, EpochEvaluated)]
    assert epochs == [("phase_a", 1), ("phase_a", 2), ("phase_b", 1), ("phase_b", 2), ("phase_b", 3)]
    assert [(event.model, event.split) for event in events if isinstance(event, Evaluated)][-1] == ("ballad", "test")

    metrics = pd.read_parquet(folder / "metrics.parquet")
    assert list(zip(metrics["phase"], metrics["epoch"], strict=True)) == epochs
    classes = pd.read_csv(folder / "ballad" / "classes-test.csv")
    assert sorted(classes["class_name"]) == ["blue", "green", "grey", "red"]
    predictions = Predictions.load(folder / "ballad" / "predictions-test.parquet")
    assert 100 * predictions.correct.mean() == pytest.approx(result["accuracies"]["ballad"]["test"]["all"])
    assert (folder / "adapter.safetensors").exists() and not (folder / "towers.safetensors").exists()
    # What training left for a resume is gone once the towers are whole.
    assert not list(folder.parent.parent.glob("stages/**/checkpoint.safetensors"))


@pytest.mark.parametrize("schedule", ["zero_shot", "zero_shot_adapter", "finetune", "joint"])
def test_other_schedules_end_with_their_models(run, schedule):
    expected = {"zero_shot": [], "zero_shot_adapter": ["ballad"], "finetune": ["phase_a"], "joint": ["joint"]}
    result, _, _ = run({"schedule": schedule})
    assert list(result["accuracies"]) == ["zero_shot", *expected[schedule]]


def test_lambda_zero_is_phase_a_to_the_last_bit(run):
    _, folder, _ = run({"phase_b.residual_factor": 0.0})
    tables = [pd.read_parquet(folder / model / "predictions-test.parquet") for model in ("phase_a", "ballad")]
    pd.testing.assert_frame_equal(*tables, check_exact=True)


@pytest.mark.usefixtures("stages_of_default_run")
def test_the_same_experiment_again_computes_nothing_and_says_the_same(run, default_run):
    first, _, events = default_run
    again, _, replayed = run()
    assert again["accuracies"] == first["accuracies"]
    assert computed(replayed) == []
    assert again["seconds"] == dict.fromkeys(again["seconds"], 0.0)

    def epochs(events):
        return [event for event in events if isinstance(event, EpochEvaluated)]

    assert epochs(replayed) == epochs(events)


def test_the_same_seed_in_another_home_gives_the_same_numbers(run, default_run):
    first, folder, _ = default_run
    again, other, _ = run()
    assert again["accuracies"] == first["accuracies"]
    names = [f"{model}/predictions-test.parquet" for model in first["accuracies"]]
    for name in names:
        pd.testing.assert_frame_equal(pd.read_parquet(folder / name), pd.read_parquet(other / name), check_exact=True)


@pytest.mark.usefixtures("stages_of_default_run")
def test_a_lambda_sweep_after_a_run_touches_no_image(run, monkeypatch):
    monkeypatch.setattr(Split, "image", lambda *_, **__: pytest.fail("decoded again"))
    for factor in (0.0, 0.3, 1.0):
        _, _, events = run({"phase_b.residual_factor": factor})
        assert set(computed(events)) <= {"adapter", "evaluation"}


def test_overwritten_pictures_get_answers_of_their_own(run, tiny_images, tmp_path):
    for path in tiny_images.rglob("*.png"):
        bitmap = tmp_path / "images" / path.relative_to(tiny_images).with_suffix(".bmp")  # all of one size
        bitmap.parent.mkdir(parents=True, exist_ok=True)
        Image.open(path).save(bitmap)
    red, blue = (tmp_path / "images" / "test" / name / "0.bmp" for name in ("red", "blue"))

    def answers():
        _, folder, events = run({"schedule": "zero_shot"}, images=tmp_path / "images")
        predictions = Predictions.load(folder / "zero_shot" / "predictions-test.parquet")
        return predictions.top_probabilities, computed(events)

    def swap():
        before = red.read_bytes(), blue.read_bytes()
        for path, data in zip((blue, red), before, strict=True):
            path.write_bytes(data)

    first, _ = answers()
    swap()
    swapped, again = answers()
    assert "features" in again
    order = [12, *range(1, 12), 0, 13, 14, 15]  # four pictures of each class: blue, green, grey and red
    assert not np.allclose(first[0], first[12])
    np.testing.assert_allclose(swapped, first[order], rtol=1e-5)
    swap()
    restored, again = answers()
    assert again == []
    np.testing.assert_array_equal(restored, first)


def test_companions_are_trained_along_and_equal_their_own_runs(run, tmp_path):
    others = [{"phase_b.residual_factor": 0.6}, {"phase_b.sampler": "square_root"}, {"phase_b.seed": 4}]
    run(companions=others)
    along = []
    for values in others:
        result, folder, events = run(values)
        assert "adapter" not in computed(events)
        assert len([event for event in events if isinstance(event, EpochEvaluated)]) == 5
        along.append((result["accuracies"]["ballad"], pd.read_parquet(folder / "ballad/predictions-test.parquet")))
    shutil.rmtree(tmp_path / "stages")
    for values, (accuracies, predictions) in zip(others, along, strict=True):
        result, folder, _ = run(values)
        assert result["accuracies"]["ballad"] == accuracies
        alone = pd.read_parquet(folder / "ballad/predictions-test.parquet")
        pd.testing.assert_frame_equal(alone, predictions, atol=1e-4)


def test_where_memory_holds_two_adapters_two_train_at_a_time(run, monkeypatch):
    monkeypatch.setattr(compute, "members_that_fit", lambda *_: 2)
    sweep = [{"phase_b.residual_factor": factor} for factor in (0.1, 0.4, 0.7, 1.0)]
    trained = [
        "adapter" in computed(run(values, companions=sweep[number + 1 :])[2]) for number, values in enumerate(sweep)
    ]
    assert trained == [True, False, True, False]


def test_more_views_and_fresh_views_train_too(run):
    cached, _, events = run({"phase_b.views": 3})
    assert computed(events).count("views") == 1
    exact, _, _ = run({"phase_b.features": "exact"})
    assert cached["accuracies"]["phase_a"] == exact["accuracies"]["phase_a"]


def test_where_every_class_has_enough_images_further_views_add_none(run, default_run, monkeypatch):
    monkeypatch.setattr(features, "VIEW_TARGET", 1)
    one, _, _ = default_run
    several, _, events = run({"phase_b.views": 2})
    assert computed(events).count("views") == 1
    assert several["accuracies"] == one["accuracies"]


def test_a_cancelled_run_leaves_a_readable_folder_and_resumes_to_the_same_numbers(run, default_run, tmp_path):
    whole, _, _ = default_run
    cancel = CancelToken()

    def stop(event):
        if isinstance(event, Progress) and event.phase == "phase_a" and event.epoch == 2:
            cancel.cancel()

    with pytest.raises(Cancelled):
        run(cancel=cancel, on_event=stop)
    folder = tmp_path / "runs" / "0"
    assert Experiment.read(folder / "settings.yaml").phase_a.epochs == 2
    assert list(pd.read_parquet(folder / "metrics.parquet")["epoch"]) == [1]
    resumed, _, _ = run()
    assert resumed["accuracies"] == whole["accuracies"]


def test_new_pictures_get_the_answers_that_evaluation_gave(run, tiny_images, tmp_path):
    _, folder, _ = run({"phase_b.placement": "both"})
    predictor = Predictor(tmp_path, folder.name, device="cpu")
    path = sorted((tiny_images / "test" / "red").iterdir())[0]
    answers = predictor.predict(path, top=2)
    assert list(answers) == ["zero_shot", "phase_a", "ballad"]
    classes = pd.read_csv(folder / "ballad" / "classes-test.csv")["class_name"]
    for model, ranked in answers.items():
        stored = Predictions.load(folder / model / "predictions-test.parquet")
        row = int((stored.labels == list(classes).index("red")).nonzero()[0][0])
        assert ranked[0][0] == classes[stored.predicted[row]]
        assert ranked[0][1] == pytest.approx(stored.top_probabilities[row, 0], abs=0.01)


def test_a_training_that_ends_no_better_than_guessing_is_marked(run):
    # A rate that drives every unit of the adapter below zero, where ReLU lets nothing through.
    dead = {"schedule": "zero_shot_adapter", "phase_b.learning_rate": 1e6, "phase_b.residual_factor": 1.0}
    result, _, events = run(dead)
    assert result["diverged"] == ["ballad"]
    said = [event.message for event in events if isinstance(event, Notice) and "diverged" in event.message]
    assert len(said) == 1 and said[0].startswith("Phase B diverged: its last loss is")
    assert "guessing among 4 classes gives 1.39" in said[0] and "phase_b.learning_rate" in said[0]
    marked = {(event.model, event.split): event.diverged for event in events if isinstance(event, Evaluated)}
    assert marked["ballad", "test"] and not marked["zero_shot", "test"]


def test_a_setting_that_does_nothing_is_told_in_the_log_and_the_result(run):
    result, _, events = run({"schedule": "finetune", "phase_a.epochs": 1, "optimizer.cosine_by": "epoch"})
    assert [note for note in result["notes"] if note.startswith("phase_a.epochs = 1 trains nothing")]
    assert set(result["notes"]) <= {event.message for event in events if isinstance(event, Notice)}


def test_a_member_of_a_sweep_that_diverges_fails_alone(run):
    good = {"schedule": "zero_shot_adapter"}
    diverging = {**good, "phase_b.learning_rate": 1e30}
    for _ in range(2):
        with pytest.raises(RunError, match="Phase B diverged: the loss of epoch 1"):
            run(diverging, companions=[good])
        _, _, events = run(good)
        assert "adapter" not in computed(events)
