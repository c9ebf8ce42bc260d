"""The pipeline on a device that is no CPU: nothing is left behind on the host, and the numbers are the CPU's."""

import numpy as np
import pytest

from ballad.analysis.predictions import Predictions
from ballad.data.decoding import open_rgb
from ballad.events import CancelToken, ignore
from ballad.runs.pipeline import run_experiment
from ballad.runs.prediction import Predictor
from tests.runs.tiny_experiment import tiny_experiment
from tests.simulated_gpu import simulated_gpu


def run_on(device, experiment, home, companions=()):
    """Run in ``home``; returns the predictions on the test images by model."""
    folder = home / "runs" / "run"
    result = run_experiment(
        experiment,
        home=home,
        run_dir=folder,
        device=str(device),
        on_event=ignore,
        cancel=CancelToken(),
        companions=companions,
    )
    return {model: Predictions.load(folder / model / "predictions-test.parquet") for model in result["accuracies"]}


def assert_alike(ours, theirs):
    assert ours.keys() == theirs.keys()
    for model, predictions in ours.items():
        assert np.array_equal(predictions.predicted, theirs[model].predicted)
        assert np.allclose(predictions.top_probabilities, theirs[model].top_probabilities, atol=2e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {"phase_a__micro_batch": 5},
        {"phase_a__tuned": "text"},
        {"phase_a__tuned": "image", "phase_a__objective": "symmetric"},
        {"schedule": "joint", "phase_b__placement": "both"},
        {"phase_b__views": 3, "phase_b__placement": "text"},
        {"phase_b__features": "exact"},
    ],
    ids=lambda changes: " ".join(map(str, changes.values())),
)
def test_every_way_to_train(tiny_images, tiny_backbone, tmp_path, changes):
    experiment = tiny_experiment(tiny_images, tiny_backbone, **changes)
    theirs = run_on("cpu", experiment, tmp_path / "cpu")
    with simulated_gpu() as device:
        assert_alike(run_on(device, experiment, tmp_path / "gpu"), theirs)


def test_a_sweep_whose_members_draw_differently(tiny_images, tiny_backbone, tmp_path):
    samplers = ("class_balanced", "square_root", "mix_balanced")
    experiments = [
        tiny_experiment(tiny_images, tiny_backbone, schedule="zero_shot_adapter", phase_b__sampler=sampler)
        for sampler in samplers
    ]
    with simulated_gpu() as device:
        run_on(device, experiments[0], tmp_path / "together", experiments[1:])
        for number, experiment in enumerate(experiments):
            together = run_on(device, experiment, tmp_path / "together")
            assert_alike(together, run_on(device, experiment, tmp_path / f"alone {number}"))


def test_new_pictures(tiny_images, tiny_backbone, tmp_path):
    experiment = tiny_experiment(tiny_images, tiny_backbone)
    picture = open_rgb(next((tiny_images / "test" / "red").glob("*.png")))
    with simulated_gpu() as device:
        run_on(device, experiment, tmp_path)
        on_gpu = Predictor(tmp_path, "run", device=str(device))
        ours, nearest = on_gpu.predict_image(picture), on_gpu.nearest("ballad", picture, 3)
    on_cpu = Predictor(tmp_path, "run", device="cpu")
    for model, ranked in on_cpu.predict_image(picture).items():
        assert [name for name, _ in ours[model]] == [name for name, _ in ranked]
    assert [index for index, _ in nearest] == [index for index, _ in on_cpu.nearest("ballad", picture, 3)]
