"""The pipeline on a device that is no CPU: nothing is left on the host, and the numbers are the CPU's.

Where pictures become views on the device, a few of their levels differ from Pillow's; hence the tolerance.
"""

import numpy as np
import pytest

from ballad.analysis.predictions import Predictions
from ballad.data.decoding import open_rgb
from ballad.events import CancelToken, ignore
from ballad.stages.pipeline import run_experiment
from ballad.stages.prediction import Predictor
from tests.helpers.tiny_experiment import tiny_experiment


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
        assert np.allclose(predictions.top_probabilities, theirs[model].top_probabilities, atol=2e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {"phase_a__micro_batch": 5, "phase_b__views": 3, "phase_b__placement": "text"},
        {"phase_a__tuned": "image", "phase_a__objective": "symmetric", "phase_b__features": "exact"},
        {"schedule": "joint", "phase_a__tuned": "text", "phase_b__placement": "both"},
    ],
    ids=lambda changes: " ".join(map(str, changes.values())),
)
def test_ways_to_train(tiny_images, tiny_backbone, tmp_path, gpu, changes):
    experiment = tiny_experiment(tiny_images, tiny_backbone, **changes)
    theirs = run_on("cpu", experiment, tmp_path / "cpu")
    assert_alike(run_on(gpu, experiment, tmp_path / "gpu"), theirs)


def test_a_sweep_whose_members_draw_differently(tiny_images, tiny_backbone, tmp_path, gpu):
    samplers = ("class_balanced", "square_root", "mix_balanced")
    experiments = [
        tiny_experiment(tiny_images, tiny_backbone, schedule="zero_shot_adapter", phase_b__sampler=sampler)
        for sampler in samplers
    ]
    run_on(gpu, experiments[0], tmp_path / "together", experiments[1:])
    for number, experiment in enumerate(experiments):
        together = run_on(gpu, experiment, tmp_path / "together")
        assert_alike(together, run_on(gpu, experiment, tmp_path / f"alone {number}"))


def test_new_pictures(tiny_images, tiny_backbone, tmp_path, gpu):
    experiment = tiny_experiment(tiny_images, tiny_backbone)
    picture = open_rgb(next((tiny_images / "test" / "red").glob("*.png")))
    run_on(gpu, experiment, tmp_path)
    on_gpu, on_cpu = (Predictor(tmp_path, "run", device=str(device)) for device in (gpu, "cpu"))
    ours, theirs = on_gpu.predict_image(picture), on_cpu.predict_image(picture)
    for model in theirs:
        assert dict(ours[model]) == pytest.approx(dict(theirs[model]), abs=2e-3)
    nearest, expected = (predictor.nearest("ballad", picture, 3) for predictor in (on_gpu, on_cpu))
    assert [similarity for _, similarity in nearest] == pytest.approx([s for _, s in expected], abs=2e-3)
