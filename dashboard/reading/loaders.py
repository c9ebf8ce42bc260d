"""Finished runs as pages read them: each file of a run's folder once, for all readers.

What these functions return is shared between sessions: take it, do not change it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ballad.analysis import confusion as confusion_analysis
from ballad.analysis.predictions import Predictions
from ballad.errors import RunError
from ballad.schedules import ZERO_SHOT, Model
from ballad.stages.artifacts import CLASS_TEXT
from ballad.stages.plan import SplitName
from ballad.stages.run_folder import RunFolder
from ballad.stages.stage_store import StageStore
from dashboard.reading.kept import Kept, table_bytes
from dashboard.reading.workbench import open_store

EVALUATION_BYTES = 128 * 2**20
"""Of evaluations kept in memory: one of 50,000 images and 1,000 classes takes 4 MB."""

SPLIT_TITLES: dict[SplitName, str] = {"test": "Test", "val": "Validation"}


@dataclass(frozen=True)
class Evaluation:
    """What one model of a run said about a split, with the tables of :class:`ballad.analysis.evaluation.Report`."""

    predictions: Predictions
    per_class: pd.DataFrame
    confusion: pd.DataFrame
    summary: dict[str, Any]

    @property
    def nbytes(self) -> int:
        """The memory of its arrays and tables."""
        arrays = (self.predictions.labels, self.predictions.top_classes, self.predictions.top_probabilities)
        return sum(array.nbytes for array in arrays) + table_bytes(self.per_class) + table_bytes(self.confusion)


def evaluated_models(run_id: str) -> list[Model]:
    """The models of a finished run, the untouched towers first. RunError if its folder is gone."""
    return list(_result(run_id)["accuracies"])


def evaluated_splits(run_id: str) -> list[SplitName]:
    """The splits that the run's models were evaluated on, test first. RunError if its folder is gone."""
    evaluated = next(iter(_result(run_id)["accuracies"].values()))
    return [split for split in SPLIT_TITLES if split in evaluated]


def evaluation(run_id: str, model: Model, split: SplitName) -> Evaluation:
    """Read what a model said. RunError if the run has no such model or split, or its files are gone."""
    return _evaluations().get((run_id, model, split), lambda: _read_evaluation(run_id, model, split))


@st.cache_resource(show_spinner=False)
def _evaluations() -> Kept[Evaluation]:
    return Kept(EVALUATION_BYTES, lambda each: each.nbytes)


def _read_evaluation(run_id: str, model: Model, split: SplitName) -> Evaluation:
    folder = _folder(run_id)
    return Evaluation(
        folder.predictions(model, split),
        folder.classes(model, split),
        folder.confusion(model, split),
        folder.summary(model, split),
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def class_order(run_id: str, model: Model, split: SplitName, by: confusion_analysis.Order) -> np.ndarray:
    """Class ids [K] in the order of a heatmap's rows; RunError if the order needs class texts that were removed."""
    text = _class_text(run_id, model) if by == "similarity" else None
    return confusion_analysis.class_order(evaluation(run_id, model, split).per_class, by, text)


def images_in_split(run_ids: Iterable[str], split: SplitName) -> int | None:
    """How many images of a split the runs were all evaluated on; None where that differs or a folder is gone."""
    try:
        counts = {_images(run_id, split) for run_id in run_ids}
    except RunError:
        return None
    return counts.pop() if len(counts) == 1 else None


def same_images(run_id: str, other_id: str, split: SplitName) -> bool:
    """Whether two runs were evaluated on the same images of the same classes and shot groups."""
    ours, theirs = (evaluation(each, ZERO_SHOT, split) for each in (run_id, other_id))
    return (
        _source(run_id) == _source(other_id)
        and np.array_equal(ours.predictions.labels, theirs.predictions.labels)
        and ours.per_class[["class_name", "group"]].equals(theirs.per_class[["class_name", "group"]])
    )


def _class_text(run_id: str, model: Model) -> np.ndarray:
    """The class embeddings that the model compares images with, before any adapter on them, float32 [K, d]."""
    from safetensors.numpy import load_file

    stages, stage = StageStore(open_store().home), _folder(run_id).plan().class_text(model)
    if not stages.present(stage):
        raise RunError(
            f"The class texts of the run {run_id} were removed, and with them the order by similarity; "
            "choose another order, or run the experiment again."
        )
    return load_file(stages.folder(stage) / CLASS_TEXT)["text"]


def _source(run_id: str) -> list[Any]:
    written = _folder(run_id).settings_as_written()["dataset"]
    return [written[name] for name in ("source", "split_seed", "validation_per_class", "test_per_class")]


@st.cache_data(max_entries=4096, show_spinner=False)
def _images(run_id: str, split: SplitName) -> int:
    return _folder(run_id).summary(ZERO_SHOT, split)["images"]


@st.cache_data(max_entries=2048, show_spinner=False)
def _result(run_id: str) -> dict[str, Any]:
    return _folder(run_id).result()


def _folder(run_id: str) -> RunFolder:
    return RunFolder.of(open_store().home, run_id)
