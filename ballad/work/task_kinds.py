"""What each kind of task does; heavy libraries are loaded when the first task needs them."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from ballad.errors import DataError
from ballad.events import CancelToken

if TYPE_CHECKING:
    from PIL import Image

    from ballad.stages.prediction import Predictor

Report = Callable[[float, str], None]
"""Called with the share of the work that is done, 0 to 1, and what is being done; raises Cancelled after a cancel."""

TOP_CLASSES = 5
NEAREST_PICTURES = 8
MOST_FINDINGS = 1000


class Perform(Protocol):
    """Does a task; returns its result (JSON). Raises BalladError with a sentence for the user, and Cancelled."""

    def __call__(
        self, home: Path, arguments: Mapping[str, Any], *, report: Report, cancel: CancelToken
    ) -> dict[str, Any]: ...


def perform_projection(
    home: Path, arguments: Mapping[str, Any], *, report: Report, cancel: CancelToken
) -> dict[str, Any]:
    """``arguments`` are those of :class:`ballad.stages.projections.ProjectionRequest`; the result names the stage."""
    from ballad.stages.projections import ProjectionRequest, compute_projection

    stage = compute_projection(home, ProjectionRequest.model_validate(arguments), report=report, cancel=cancel)
    return {"stage": stage.key}


def perform_prediction(
    home: Path, arguments: Mapping[str, Any], *, report: Report, cancel: CancelToken
) -> dict[str, Any]:
    """``run`` and a picture, either ``upload`` or ``split`` and ``index``.

    Returns ``ranked``, for each model class names with probabilities, and ``nearest``, training pictures by index with
    their cosine similarity in the space of the model ``nearest_by``; empty where the run kept no training features.
    """
    report(0.1, "Reading the picture")
    image = _picture(home, arguments)
    report(0.3, "Loading the models")
    predictor = _predictor(home, arguments["run"])
    report(0.6, "Comparing the picture with the classes")
    ranked = predictor.predict_image(image, top=TOP_CLASSES)
    report(0.9, "Looking for similar training pictures")
    model = predictor.plan.models[-1]
    return {"ranked": ranked, "nearest": predictor.nearest(model, image, NEAREST_PICTURES), "nearest_by": model}


def perform_download(
    home: Path, arguments: Mapping[str, Any], *, report: Report, cancel: CancelToken
) -> dict[str, Any]:
    """Download the dataset ``name`` of the catalogue; the result names its folder."""
    from ballad.data.catalog import CATALOG

    entry = CATALOG.get(arguments["name"])
    if entry is None:
        raise DataError(f"There is no dataset '{arguments['name']}'; the names are {', '.join(CATALOG)}.")

    def on_bytes(done: int, total: int) -> None:
        doing = f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB" if done < total else "Checking and unpacking"
        report(done / max(total, 1), doing)

    return {"folder": str(entry.download(on_bytes, cancel))}


def perform_weights(home: Path, arguments: Mapping[str, Any], *, report: Report, cancel: CancelToken) -> dict[str, Any]:
    """Download the published weights of a backbone, its settings ``name`` and ``pretrained``; names their file."""
    from ballad.model.catalogue import download_weights
    from ballad.sections import BackboneSettings

    def on_bytes(done: int, total: int | None) -> None:
        report(done / total if total else 0, f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB" if total else "Starting")

    report(0, "Asking the hub")
    return {"file": str(download_weights(BackboneSettings.model_validate(arguments), on_bytes))}


def perform_check(home: Path, arguments: Mapping[str, Any], *, report: Report, cancel: CancelToken) -> dict[str, Any]:
    """Look for what is wrong with the images of ``dataset``, and with its class names to ``backbone`` (their settings).

    Returns ``unreadable``, ``duplicates`` (leaks) and ``repeats``, the tables of :mod:`ballad.data.checks` as records,
    cut to the first ``MOST_FINDINGS``, how many there are, ``unreadable_found`` and so on, and ``token_notes`` on class
    names that the backbone's tokenizer, by default CLIP's, cannot tell apart.
    """
    from ballad.data.catalog import load_dataset
    from ballad.data.checks import equal_images, unreadable_images
    from ballad.sections import DatasetSettings

    report(0, "Reading names and labels")
    dataset = load_dataset(DatasetSettings.model_validate(arguments["dataset"]), home=home)
    images = sum(len(split) for split in dataset.splits)

    def on_checked(done: int) -> None:
        report(0.9 * done / images, f"Decoding image {done:,} of {images:,}")

    unreadable = unreadable_images(dataset, on_checked)
    report(0.9, "Looking for duplicate images")
    repeats, duplicates = equal_images(dataset)
    return {
        "unreadable": unreadable.head(MOST_FINDINGS).to_dict("records"),
        "duplicates": duplicates.head(MOST_FINDINGS).to_dict("records"),
        "unreadable_found": len(unreadable),
        "duplicates_found": len(duplicates),
        "repeats": repeats.head(MOST_FINDINGS).to_dict("records"),
        "repeats_found": len(repeats),
        "token_notes": _token_notes(dataset.class_names, arguments.get("backbone", {})),
    }


TASKS: Mapping[str, Perform] = MappingProxyType(
    {
        "projection": perform_projection,
        "prediction": perform_prediction,
        "download": perform_download,
        "weights": perform_weights,
        "check": perform_check,
    }
)


def _token_notes(class_names: Sequence[str], backbone: Mapping[str, Any]) -> list[str]:
    from ballad.errors import BackboneError
    from ballad.model.class_tokens import class_token_notes, tokenizer_of
    from ballad.sections import BackboneSettings, PromptSettings

    try:
        tokenizer = tokenizer_of(BackboneSettings.model_validate(backbone))
    except BackboneError as error:
        return [f"Whether the backbone's tokenizer tells all class names apart is not known. {error}"]
    return class_token_notes(class_names, tokenizer, PromptSettings())


def _picture(home: Path, arguments: Mapping[str, Any]) -> "Image.Image":
    from ballad.data.catalog import load_again
    from ballad.stages.run_folder import RunFolder
    from ballad.work.uploads import decode_upload

    if "upload" in arguments:
        return decode_upload(home, arguments["upload"])
    plan = RunFolder.of(home, arguments["run"]).plan()
    dataset = load_again(plan.experiment.dataset, plan.dataset, home=home)
    split = next(split for split in dataset.splits if split.name == arguments["split"])
    return split.image(arguments["index"])


@lru_cache(maxsize=1)
def _predictor(home: Path, run_id: str) -> "Predictor":
    """The models of the run that was asked for last stay in memory, for the next picture.

    On the CPU: a training may have the GPU, and its memory, to itself.
    """
    from ballad.stages.prediction import Predictor

    return Predictor(home, run_id, device="cpu")
