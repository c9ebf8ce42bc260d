"""Runs one experiment: obtains its stages in order and collects the results in the run's folder."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ballad.analysis.divergence import has_diverged
from ballad.analysis.evaluation import Report, evaluate
from ballad.data.catalog import load_dataset
from ballad.errors import RunError
from ballad.events import CancelToken, EpochEvaluated, Evaluated, Event, EventSink, Notice, StageFinished
from ballad.experiment import Experiment
from ballad.home import pixels_dir
from ballad.model.fingerprint import backbone_fingerprint
from ballad.schedules import PHASE_A, PHASE_B, PHASES, ZERO_SHOT
from ballad.stages.cautions import cautions
from ballad.stages.compute import StageComputer
from ballad.stages.plan import Plan
from ballad.stages.run_folder import RunFolder
from ballad.stages.stage_store import StageStore

PHASE_OF_STAGE = {
    "towers": "phase_a",
    "mixed_towers": "phase_a",
    "class_text": "features",
    "features": "features",
    "views": "features",
    "adapter": "phase_b",
    "evaluation": "evaluation",
}


def run_experiment(
    experiment: Experiment,
    *,
    home: Path,
    run_dir: Path,
    device: str,
    on_event: EventSink,
    cancel: CancelToken,
    companions: Sequence[Experiment] = (),
) -> dict[str, Any]:
    """Run ``experiment`` on ``device`` and return what ``result.json`` in ``run_dir`` then holds.

    The result: key, dataset, budget, seconds by phase, for each evaluated model the accuracies in percent by split, the
    models whose training diverged, and notes on the dataset and on settings that do nothing. Stages that are already
    there are not computed again. ``companions`` are waiting experiments; adapters among them that learn from the same
    features are trained along.

    Raises DataError, BackboneError or RunError with a sentence for the user, and Cancelled.
    """
    watch = _Watch(on_event)
    torch_device = find_device(device)
    dataset = load_dataset(experiment.dataset, home=home)
    notes = [*dataset.notes, *cautions(experiment, has_validation=dataset.val is not None)]
    for note in notes:
        on_event(Notice(note))
    plan = Plan(experiment, dataset.fingerprint, backbone_fingerprint(experiment.backbone), dataset.val is not None)
    computer = StageComputer(
        plan,
        dataset,
        StageStore(home),
        pixels=pixels_dir(home),
        device=torch_device,
        on_event=watch.observe,
        cancel=cancel,
    )
    folder = RunFolder(run_dir)
    folder.write_plan(plan)
    accuracies: dict[str, dict[str, Any]] = {}
    diverged: list[str] = []
    try:
        for model in plan.models:
            if model in PHASES:
                computer.towers()
            if plan.adapter(model) is not None:
                computer.adapter(companions)
            accuracies[model] = {}
            for split, predictions in computer.predictions(model).items():
                report = evaluate(predictions, dataset.class_table())
                accuracies[model][split] = report.accuracy()
                if split == "test" and (sentence := _divergence(model, report, watch.history, experiment)) is not None:
                    diverged.append(model)
                    on_event(Notice(sentence))
                on_event(Evaluated(model, split, report.accuracy(), diverged=model in diverged))
                folder.write_report(model, split, predictions, report)
        folder.copy_weights(computer.weight_files(), keep_towers=experiment.runtime.keep_towers)
    finally:
        folder.write_history(watch.history)
    result: dict[str, Any] = {
        "key": experiment.key,
        "dataset": dataset.title,
        "synthetic": dataset.synthetic,
        "budget": experiment.budget,
        "seconds": dict(watch.seconds),
        "accuracies": accuracies,
        "diverged": diverged,
        "notes": notes,
    }
    if (search := computer.search()) is not None:
        result["search"] = search
    folder.write_result(result)
    return result


def _divergence(model: str, report: Report, history: Sequence[EpochEvaluated], experiment: Experiment) -> str | None:
    """The sentence to say where the training of ``model`` ended no better than guessing."""
    phase = PHASES.get(model, PHASE_B)
    losses = [event.loss for event in history if event.phase == phase.name and event.loss is not None]
    accuracy, classes = report.accuracy()["all"], len(report.per_class)
    if model == ZERO_SHOT or not losses or accuracy is None:
        return None
    terms = 2 if phase.trains_towers and experiment.phase_a.objective == "symmetric" else 1
    images = int(report.summary["images"])
    if not has_diverged(losses[-1], accuracy, classes=classes, images=images, terms=terms):
        return None
    section = PHASE_A.name if phase.trains_towers else PHASE_B.name
    return (
        f"{phase.title} diverged: its last loss is {losses[-1]:.3g}, where guessing among {classes} classes gives "
        f"{terms * math.log(classes):.3g}, and {accuracy:.1f} % of the test images are classified correctly. Try a "
        f"lower {section}.learning_rate or a higher backbone.temperature."
    )


def find_device(name: str) -> torch.device:
    """``auto`` is the first CUDA device, or the CPU. Raises RunError for a device that is not there."""
    if name == "auto":
        name = "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (
        RuntimeError,
        AssertionError,
    ):  # an unknown name; a device that is not there, or that torch is not built for
        raise RunError(f"There is no device '{name}' on this machine; choose 'cpu' or 'auto'.") from None
    return device


@dataclass
class _Watch:
    """Passes events on, and keeps what the result needs of them."""

    on_event: EventSink
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    history: list[EpochEvaluated] = field(default_factory=list)

    def observe(self, event: Event) -> None:
        if isinstance(event, StageFinished):
            self.seconds[PHASE_OF_STAGE[event.stage]] += event.seconds
        elif isinstance(event, EpochEvaluated):
            self.history.append(event)
        self.on_event(event)
