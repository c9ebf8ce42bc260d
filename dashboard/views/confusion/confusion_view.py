"""What the confusion page looks at: one model of one run, perhaps against another, and the cells of their confusion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from ballad.analysis.confusion import class_neighbours, classes_of_pairs, difference, most_confused_pairs
from ballad.analysis.evaluation import calibration_bins
from ballad.analysis.predictions import Predictions
from ballad.schedules import Model, model_title
from ballad.stages.plan import SplitName
from dashboard.figures.confusion import distinct_labels
from dashboard.reading.loaders import Evaluation, evaluated_models, evaluation

Shown = Literal["block", "all", "class"]
BLOCK_CLASSES = 30
"""The most classes that have readable names on a heatmap of half a page."""
MOST_PAIRS = 200
EXPORTED = {
    "true_name": "True class",
    "predicted_name": "Predicted class",
    "group": "Shot group",
    "count": "Images",
    "rate": "Share (%)",
    "before": "Before",
    "after": "After",
    "change": "Change",
}
"""The heads of exported columns."""


@dataclass(frozen=True)
class Side:
    """One model of one run; ``label`` names both."""

    run_id: str
    run_label: str
    model: Model

    @property
    def label(self) -> str:
        return f"{model_title(self.model)} of {self.run_label}"


@dataclass(frozen=True)
class ConfusionView:
    """``side`` on a split, or what changes from ``baseline`` to ``side``. Both were evaluated on the same images."""

    side: Side
    baseline: Side | None
    split: SplitName

    @cached_property
    def ours(self) -> Evaluation:
        return evaluation(self.side.run_id, self.side.model, self.split)

    @cached_property
    def theirs(self) -> Evaluation | None:
        return evaluation(self.baseline.run_id, self.baseline.model, self.split) if self.baseline else None

    @property
    def title(self) -> str:
        return f"{self.side.label} minus {self.baseline.label}" if self.baseline else self.side.label

    @property
    def subject(self) -> str:
        """What an exported file is about."""
        return f"{self.title} {self.split}"

    @cached_property
    def class_names(self) -> list[str]:
        """Names [K] that tell classes apart, also where two share one."""
        return distinct_labels(range(len(self.ours.per_class)), self.ours.per_class["class_name"].tolist())

    def classes(self, shown: Shown, order: np.ndarray, class_id: int | None) -> list[int]:
        """The classes of the heatmap, in ``order``: all, those most confused (or changed), or around one class."""
        if shown == "all":
            return order.tolist()
        if shown == "class" and class_id is not None:
            near = class_neighbours(self.ours.confusion, self.ours.per_class, class_id, top=BLOCK_CLASSES - 1)
            return order[np.isin(order, [class_id, *near["class_id"]])].tolist()
        return order[np.isin(order, classes_of_pairs(self.pairs(), BLOCK_CLASSES))].tolist()

    def pairs(self) -> pd.DataFrame:
        """The cells off the diagonal with the most images, or with the largest changes.

        Columns: true, predicted (class ids), true_name, predicted_name, group (of the true class); count and rate
        (percent of the true class's images), or before, after and change.
        """
        if self.theirs is None:
            pairs = most_confused_pairs(self.ours.confusion, self.ours.per_class, MOST_PAIRS)
        else:
            changes = self._changes
            pairs = changes[(changes["true"] != changes["predicted"]) & (changes["change"] != 0)].head(MOST_PAIRS)
        return self._named(pairs)

    def cells(self, classes: Sequence[int]) -> pd.DataFrame:
        """All cells with images among the classes of a heatmap, in the columns of :meth:`pairs`."""
        if self.theirs is None:
            counts, images = self.ours.confusion, self.ours.per_class["test_count"].to_numpy()
            cells = counts.assign(rate=100 * counts["count"] / images[counts["true"]])
        else:
            cells = self._changes
        return self._named(cells[cells["true"].isin(classes) & cells["predicted"].isin(classes)])

    def samples(self, true: int, predicted: int) -> dict[str, list[int]]:
        """The images of a cell, as positions in the split, under what to call them.

        Of one model all of them; of two, those that are new, that are gone, and that are there in both.
        """
        ours = _cell(self.ours, true, predicted)
        if self.theirs is None:
            return {"all": ours}
        theirs = _cell(self.theirs, true, predicted)
        return {
            "new": [index for index in ours if index not in set(theirs)],
            "gone": [index for index in theirs if index not in set(ours)],
            "in both": [index for index in ours if index in set(theirs)],
        }

    @property
    def images_by_group(self) -> pd.Series:
        """Evaluated images of each shot group."""
        return self.ours.per_class.groupby("group")["test_count"].sum()

    def _named(self, cells: pd.DataFrame) -> pd.DataFrame:
        names, groups = np.array(self.class_names, dtype=object), self.ours.per_class["group"].to_numpy()
        named = cells.assign(
            true_name=names[cells["true"]], predicted_name=names[cells["predicted"]], group=groups[cells["true"]]
        )
        numbers = ["count", "rate"] if self.theirs is None else ["before", "after", "change"]
        return named[["true", "predicted", "true_name", "predicted_name", "group", *numbers]].reset_index(drop=True)

    @cached_property
    def _changes(self) -> pd.DataFrame:
        assert self.theirs is not None
        return difference(self.theirs.confusion, self.ours.confusion)


def opinions(side: Side, other: Side | None, split: SplitName) -> dict[str, Predictions]:
    """By title, what each model of ``side``'s run said about a split, and ``other`` too if it is of another run."""
    models = evaluated_models(side.run_id)
    said = {model_title(model): evaluation(side.run_id, model, split).predictions for model in models}
    if other is not None and other.run_id != side.run_id:
        said[other.label] = evaluation(other.run_id, other.model, split).predictions
    return said


def calibration(said: Mapping[str, Predictions]) -> pd.DataFrame:
    """What :func:`dashboard.figures.reliability.reliability_diagram` draws, of each model of :func:`opinions`."""
    bins = [
        calibration_bins(predictions.top_probabilities[:, 0], predictions.correct).assign(model=title)
        for title, predictions in said.items()
    ]
    return pd.concat(bins, ignore_index=True)


def exported(pairs: pd.DataFrame) -> pd.DataFrame:
    """:meth:`ConfusionView.pairs` or its cells for a file: classes by name, columns as people call them."""
    return pairs.drop(columns=["true", "predicted"]).rename(columns=EXPORTED)


def parse_cell(words: Sequence[str], names: Sequence[str]) -> tuple[int, int] | None:
    """The true and predicted class that a link names, as :func:`cell_words` writes them; None if there are no such.

    Links of the first release have the numbers of both, ``12-7``.
    """
    if len(words) == 2 and set(words) <= set(names):
        return names.index(words[0]), names.index(words[1])
    numbers = words[0].split("-") if len(words) == 1 else []
    if len(numbers) == 2 and all(number.isdecimal() and int(number) < len(names) for number in numbers):
        return int(numbers[0]), int(numbers[1])
    return None


def cell_words(true: int, predicted: int, names: Sequence[str]) -> list[str]:
    """A cell for the URL: by name, so that it does not become another cell where another run's classes are shown."""
    return [names[true], names[predicted]]


def misses(evaluated: Evaluation, class_id: int, names: Sequence[str]) -> dict[int, str]:
    """The images of a class that were taken for another one, with its name."""
    predictions = evaluated.predictions
    wrong = np.flatnonzero((predictions.labels == class_id) & ~predictions.correct)
    return {int(index): f"taken for {names[predictions.predicted[index]]}" for index in wrong}


def _cell(evaluated: Evaluation, true: int, predicted: int) -> list[int]:
    predictions = evaluated.predictions
    return np.flatnonzero((predictions.labels == true) & (predictions.predicted == predicted)).tolist()
