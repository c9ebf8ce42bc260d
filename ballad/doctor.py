"""What this machine has and lacks: one finding for everything that a run, a page or an export needs.

Zero-shot accuracy with the OpenAI weights is the regression test of the whole chain from decoding to prompts: where
weights and data are there, it is measured and compared with what is published.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from ballad.data.catalog import CATALOG, list_datasets
from ballad.data.roots import data_roots
from ballad.errors import BalladError
from ballad.experiment import Experiment
from ballad.model.hub import cached_file
from ballad.model.registry import pretrained_tags
from ballad.model.source import PAPER_ARCHITECTURES
from ballad.paper.published_accuracy import PublishedAccuracy, published_accuracies
from ballad.sections import BackboneSettings, PromptSettings
from ballad.work.devices import list_devices

State = Literal["ok", "missing", "wrong", "skipped"]

TOLERANCE = 0.5
"""Points between a measured and a published accuracy that other decoders and resizing explain."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``message`` says what was found and, if it is not ok, what to do."""

    subject: str
    state: State
    message: str


def examine(home: Path, *, measure: bool = True) -> Iterator[Finding]:
    """Look at everything, quick things first. ``measure`` evaluates zero-shot models, which can take minutes each.

    The evaluations are kept in ``home`` like those of any run.
    """
    yield torch_finding()
    yield Finding("devices", "ok", f"Runs can use {', '.join(list_devices())}.")
    yield engine_finding()
    yield from dataset_findings()
    yield from backbone_findings()
    for published in published_accuracies():
        for backbone in published.by_backbone:
            yield zero_shot_finding(home, published, backbone, measure=measure)


def torch_finding() -> Finding:
    """Whether torch and torchvision are installed, come from one index, and load together."""
    try:
        torch, torchvision = version("torch"), version("torchvision")
    except PackageNotFoundError as error:
        return Finding("torch", "missing", f"{error.name} is not installed; run 'pip install -r requirements.txt'.")
    both = f"torch {torch} and torchvision {torchvision}"
    try:
        import_module("torchvision.ops")
    except (ImportError, OSError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        return Finding("torch", "wrong", f"{both} do not load together ({reason}); install both from one index.")
    return Finding("torch", "ok", f"{both} load together.")


def engine_finding() -> Finding:
    """Whether there is a browser that can draw figures as PNG, SVG and PDF."""
    try:
        from choreographer.browsers import Chromium
    except ImportError:
        return Finding("export", "missing", "kaleido is not installed; run 'pip install -r requirements.txt'.")
    browser = Chromium.find_browser(skip_local=False)
    if browser is None:
        return Finding("export", "missing", "No Chromium or Chrome: figures export as HTML only. Install one.")
    return Finding("export", "ok", f"{browser} draws PNG, SVG and PDF.")


def dataset_findings() -> Iterator[Finding]:
    """Which datasets of the catalogue are there."""
    yield Finding("data roots", "ok", f"{', '.join(map(str, data_roots()))} (BALLAD_DATA sets them).")
    for entry in list_datasets():
        status = entry.status()
        yield Finding(entry.name, "ok" if status.state == "present" else "missing", status.message)


def backbone_findings() -> Iterator[Finding]:
    """Which of the paper's backbones have their weights on this disk."""
    for name in PAPER_ARCHITECTURES:
        weights = _weights_on_disk(name)
        if weights is not None:
            yield Finding(name, "ok", f"OpenAI's weights are in {weights}.")
        else:
            message = (
                "OpenAI's weights are not on this machine; the first run downloads them, or you can give a file of "
                "your own with --set backbone.pretrained=PATH."
            )
            yield Finding(name, "missing", message)


def zero_shot_finding(home: Path, published: PublishedAccuracy, backbone: str, *, measure: bool = True) -> Finding:
    """Zero-shot accuracy against what is published, where weights and data are there."""
    subject = f"{backbone} on {published.dataset}"
    expected = published.by_backbone[backbone]
    why_not = _why_not(published.dataset, backbone) if measure else "measuring it was not requested"
    if why_not is not None:
        message = f"Zero-shot accuracy with {published.how} should be {expected:.1f} %; {why_not}."
        return Finding(subject, "skipped", message)
    try:
        measured = zero_shot_accuracy(home, published.dataset, BackboneSettings(name=backbone), published.prompts())
    except BalladError as error:
        return Finding(subject, "wrong", f"Zero-shot accuracy could not be measured. {error}")
    return compared(subject, published.how, measured, expected)


def zero_shot_accuracy(home: Path, dataset: str, backbone: BackboneSettings, prompts: PromptSettings) -> float:
    """Top-1 over all test images in percent, by a run that is kept in ``home``. Raises what a run raises."""
    from ballad import api

    name = f"doctor: {backbone.name}"
    experiment = Experiment(name=name, schedule="zero_shot", backbone=backbone, prompts=prompts).with_values(
        {"dataset.source": dataset}
    )
    return api.run(experiment, home=home, tags=["doctor"]).result()["accuracies"]["zero_shot"]["test"]["all"]


def compared(subject: str, how: str, measured: float, expected: float) -> Finding:
    """The finding for an accuracy measured with the prompts ``how``: wrong beyond ``TOLERANCE`` points."""
    numbers = f"Zero-shot accuracy with {how} is {measured:.1f} %, the published value is {expected:.1f} %"
    if abs(measured - expected) <= TOLERANCE:
        return Finding(subject, "ok", f"{numbers}.")
    return Finding(
        subject, "wrong", f"{numbers}: more than {TOLERANCE} points apart; check class names, images and weights."
    )


def _why_not(dataset: str, backbone: str) -> str | None:
    if CATALOG[dataset].status().state != "present":
        return f"skipped, since {CATALOG[dataset].title} is not available"
    if _weights_on_disk(backbone) is None:
        return f"skipped, since the weights of {backbone} are not on this machine"
    return None


def _weights_on_disk(name: str) -> Path | None:
    weights = pretrained_tags(PAPER_ARCHITECTURES[name])["openai"]
    return cached_file(weights.repository, weights.filenames)
