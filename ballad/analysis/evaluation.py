"""From predictions to numbers: shot groups, classes, confusion and calibration, as tidy tables.

Accuracies, precision, recall, F1, errors and standard errors are percentages. The accuracy of a shot group is the
mean of its classes' accuracies; ``all`` is the share of all images that are right. What has no images has no
accuracy: NaN in tables, ``None`` in :meth:`Report.accuracy`, never 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ballad.analysis.predictions import Predictions
from ballad.analysis.statistics import standard_error
from ballad.errors import DataError
from ballad.shot_groups import ALL, SHOT_GROUPS

CALIBRATION_BINS = 15


@dataclass(frozen=True)
class Report:
    """One model on one split.

    groups: group, classes, images, accuracy, standard_error; rows many, medium, few, all.
    per_class: class_id, class_name, group, train_count, test_count (images evaluated), accuracy, precision, recall, f1.
    confusion: true, predicted, count, sample_ids (positions in the split); one row per cell that occurs, including the
    diagonal. summary: images, top1, top5, macro_f1, balanced_error, ece.
    """

    groups: pd.DataFrame
    per_class: pd.DataFrame
    confusion: pd.DataFrame
    summary: dict[str, float]

    def accuracy(self) -> dict[str, float | None]:
        """Accuracy in percent under many, medium, few, all; ``None`` where there are no such classes."""
        return {
            group: None if np.isnan(accuracy) else float(accuracy)
            for group, accuracy in zip(self.groups["group"], self.groups["accuracy"], strict=True)
        }


def evaluate(predictions: Predictions, class_table: pd.DataFrame) -> Report:
    """Compare predictions with the truth.

    class_table: one row per class, in class order, with class_id, class_name, group and train_count.
    Raises DataError if the predictions name classes that the table does not have.
    """
    labels, predicted = predictions.labels, predictions.predicted
    if len(predictions) and max(labels.max(), predictions.top_classes.max()) >= len(class_table):
        raise DataError(
            f"The predictions name class {max(labels.max(), predictions.top_classes.max())}, but the dataset has "
            f"{len(class_table)} classes; evaluate them on the dataset that they were made for."
        )
    per_class = _per_class(labels, predicted, class_table)
    seen = per_class[per_class["test_count"] > 0]
    in_top = (predictions.top_classes == labels[:, None]).any(axis=1)
    summary = {
        "images": len(labels),
        "top1": percent(predictions.correct),
        "top5": percent(in_top),
        "macro_f1": float(seen["f1"].mean()),
        "balanced_error": 100 - float(seen["accuracy"].mean()),
        "ece": expected_calibration_error(predictions.top_probabilities[:, 0], predictions.correct),
    }
    accuracies = group_accuracies(labels, predicted, list(class_table["group"]))
    return Report(group_table(per_class, accuracies), per_class, _confusion(labels, predicted), summary)


def group_table(per_class: pd.DataFrame, accuracies: Mapping[str, float | None]) -> pd.DataFrame:
    """The ``groups`` of a :class:`Report`, from its ``per_class`` and its accuracies by group."""
    seen = per_class[per_class["test_count"] > 0]
    rows = []
    for group, accuracy in accuracies.items():
        members = seen if group == "all" else seen[seen["group"] == group]
        images = int(members["test_count"].sum())
        if group == "all":
            error = standard_error(np.array([accuracy], np.float64), np.array([images]))
        else:
            error = standard_error(members["accuracy"].to_numpy(), members["test_count"].to_numpy())
        rows.append((group, len(members), images, np.nan if accuracy is None else accuracy, error))
    return pd.DataFrame(rows, columns=["group", "classes", "images", "accuracy", "standard_error"])


def group_accuracies(labels: np.ndarray, predicted: np.ndarray, groups: list[str]) -> dict[str, float | None]:
    """Accuracy in percent under many, medium, few, all; cheap enough for every epoch.

    labels, predicted: int [N]; groups: the shot group of each class [K].
    """
    totals, hits = _totals_and_hits(labels, predicted, len(groups))
    accuracies: dict[str, float | None] = {}
    for group in SHOT_GROUPS:
        members = (np.asarray(groups) == group) & (totals > 0)
        accuracies[group] = float(100 * np.mean(hits[members] / totals[members])) if members.any() else None
    accuracies[ALL] = float(100 * hits.sum() / totals.sum()) if totals.sum() else None
    return accuracies


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray) -> float:
    """ECE in percent (Guo et al. 2017, Eq. 3): |accuracy − confidence| over 15 equal-width bins, weighted by size.

    confidence: probability of the top-1 class [N]; correct: bool [N].
    """
    if not len(confidence):
        return float("nan")
    bins = calibration_bins(confidence, correct)
    return float(((bins["accuracy"] - bins["confidence"]).abs() * bins["images"]).sum() / len(confidence))


def calibration_bins(confidence: np.ndarray, correct: np.ndarray) -> pd.DataFrame:
    """How well confidence matches accuracy. Columns confidence and accuracy (means of the bin, percent) and images.

    Bins without images are left out; they are open below and closed above: (0, 1/15], …, (14/15, 1]. Arguments as for
    :func:`expected_calibration_error`.
    """
    table = pd.DataFrame({"confidence": 100 * confidence.astype(np.float64), "accuracy": 100.0 * correct})
    place = np.ceil(confidence.astype(np.float64) * CALIBRATION_BINS).clip(1, CALIBRATION_BINS)
    bins = table.groupby(place)
    return bins.mean().assign(images=bins.size()).reset_index(drop=True)


def percent(flags: np.ndarray) -> float:
    """The share of true values in percent; NaN if there are none."""
    return float(100 * flags.mean()) if len(flags) else float("nan")


def _totals_and_hits(labels: np.ndarray, predicted: np.ndarray, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    totals = np.bincount(labels, minlength=num_classes)
    return totals, np.bincount(labels[labels == predicted], minlength=num_classes)


def _per_class(labels: np.ndarray, predicted: np.ndarray, class_table: pd.DataFrame) -> pd.DataFrame:
    totals, hits = _totals_and_hits(labels, predicted, len(class_table))
    guesses = np.bincount(predicted, minlength=len(class_table))
    table = class_table[["class_id", "class_name", "group", "train_count"]].reset_index(drop=True)
    with np.errstate(invalid="ignore"):  # 0/0 is NaN: no images, or never predicted
        recall = 100 * hits / totals
        return table.assign(
            test_count=totals,
            accuracy=recall,
            precision=100 * hits / guesses,
            recall=recall,
            f1=100 * 2 * hits / (totals + guesses),
        )


def _confusion(labels: np.ndarray, predicted: np.ndarray) -> pd.DataFrame:
    order = np.lexsort((np.arange(len(labels)), predicted, labels))
    cells = np.stack([labels[order], predicted[order]], axis=1)  # [N, 2], equal cells adjacent
    starts = np.flatnonzero(np.any(np.diff(cells, axis=0, prepend=-1), axis=1))
    return pd.DataFrame(
        {
            "true": cells[starts, 0],
            "predicted": cells[starts, 1],
            "count": np.diff(starts, append=len(labels)),
            "sample_ids": np.split(order, starts[1:]) if len(labels) else [],
        }
    )
