"""Finished runs with their folders, as the pipeline would have left them, with answers chosen by the test."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from ballad.analysis.evaluation import evaluate
from ballad.analysis.predictions import Predictions
from ballad.data.catalog import load_dataset
from ballad.events import CancelToken, Evaluated, ignore
from ballad.experiment import Experiment
from ballad.home import run_dir
from ballad.stages.plan import Plan
from ballad.stages.run_folder import RunFolder
from ballad.stages.stage_store import StageStore
from ballad.store.owners import Owner
from ballad.store.run_store import RunStore

BLUE, GREEN, GREY, RED = range(4)
"""The classes of ``tiny_images``: 4 test images each, in this order; red is medium-shot, the others few-shot."""


def finished(store: RunStore, images: Path, taken_for: Mapping[str, Mapping[int, int]], **values) -> str:
    """A decoupled run on ``images``. ``taken_for``: by model the wrong answers, test image to class; others are right.

    ``values`` are dotted settings, with two underscores for the dot.
    """
    settings = {name.replace("__", "."): value for name, value in values.items()}
    experiment = Experiment().with_values({"dataset.source": str(images), **settings})
    dataset = load_dataset(experiment.dataset)
    run_id, owner = store.create(experiment), Owner.new()
    assert store.claim(owner, "cpu", requests=["auto"], run_id=run_id)
    plan = Plan(experiment, dataset.fingerprint, "backbone", has_validation=True)
    folder = RunFolder(run_dir(store.home, run_id))
    folder.write_plan(plan)
    accuracies: dict[str, dict] = {}
    for model in plan.models:
        accuracies[model] = {}
        for split in (dataset.test, dataset.val):
            wrong = taken_for.get(model, {}) if split.name == "test" else {}
            predictions = answers(split.labels, wrong, dataset.num_classes)
            report = evaluate(predictions, dataset.class_table())
            folder.write_report(model, split.name, predictions, report)
            store.record(run_id, Evaluated(model, split.name, report.accuracy()))
            accuracies[model][split.name] = report.accuracy()
    folder.write_result({"key": experiment.key, "dataset": dataset.title, "accuracies": accuracies})
    store.finish(run_id, owner, "done")
    return run_id


def answers(labels: np.ndarray, wrong: Mapping[int, int], num_classes: int) -> Predictions:
    """70 % for the answer, the rest for the other classes in their order."""
    first = np.array([wrong.get(index, label) for index, label in enumerate(labels)])
    ranked = np.array([[answer, *(other for other in range(num_classes) if other != answer)] for answer in first])
    probabilities = np.tile(np.float32([0.7, *[0.3 / (num_classes - 1)] * (num_classes - 1)]), (len(labels), 1))
    return Predictions(labels, ranked, probabilities)


def keep_class_text(store: RunStore, run_id: str, text: np.ndarray) -> None:
    """Class embeddings [K, d] where the run's BALLAD model finds them."""
    stage = RunFolder.of(store.home, run_id).plan().class_text("ballad")

    def compute(folder: Path) -> None:
        save_file({"text": text, "logit_scale": np.array(100.0)}, folder / "class_text.safetensors")

    StageStore(store.home).obtain(stage, compute, device="cpu", on_event=ignore, cancel=CancelToken())
