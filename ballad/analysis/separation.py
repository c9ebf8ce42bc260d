"""How well classes are separated, measured in the original normalised space and not on a map.

Three views of one question, all on features [N, d] with labels [N]; distances are cosine distances, 0 … 2.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ballad.analysis.projection import unit_rows
from ballad.shot_groups import GROUPS

SMALLEST_DISTANCE = 1e-6
"""Cosine distances of float32 features below this are their rounding."""


def silhouette_by_class(features: np.ndarray, labels: np.ndarray, groups: Sequence[str]) -> pd.DataFrame:
    """Mean silhouette (Rousseeuw 1987) of each class's samples, −1 … 1: near 1 far from the nearest other class.

    groups: shot group of each class [K]. Returns class_id, group, samples, silhouette, for classes with samples; a
    class with one sample, or without another class beside it, has no silhouette (NaN). Samples that are the same to
    float32's precision are neither near nor far: their silhouette is 0.
    """
    classes, index, counts = np.unique(labels, return_inverse=True, return_counts=True)
    table = pd.DataFrame({"class_id": classes, "group": np.asarray(groups)[classes], "samples": counts})
    if len(classes) < 2:
        return table.assign(silhouette=np.nan)
    unit, rows = unit_rows(features), np.arange(len(labels))
    sums = np.zeros((len(classes), unit.shape[1]), np.float32)
    np.add.at(sums, index, unit)
    # The mean cosine distance to a class is linear in its samples: one product with the class sums instead of N × N.
    similarity = unit @ sums.T  # [N, classes], summed over each class
    within = _told(1 - (similarity[rows, index] - 1) / np.maximum(counts[index] - 1, 1))
    between = 1 - similarity / counts
    between[rows, index] = np.inf
    nearest = _told(between.min(axis=1))
    larger = np.maximum(nearest, within)
    values = np.divide(nearest - within, larger, out=np.zeros_like(larger), where=larger > 0)
    means = np.bincount(index, weights=values) / counts
    return table.assign(silhouette=np.where(counts > 1, means, np.nan))


def _told(distances: np.ndarray) -> np.ndarray:
    """Distances that are more than rounding; the others are 0, where a little below it would turn signs."""
    return np.where(distances > SMALLEST_DISTANCE, distances, 0.0)


def neighbour_purity(
    features: np.ndarray, labels: np.ndarray, groups: Sequence[str], neighbours: int = 10
) -> pd.DataFrame:
    """How many of a sample's nearest neighbours are of its own class, in percent, by shot group.

    The mean over a group's classes of the mean over their samples; a class with n samples can have n − 1 neighbours of
    its own at most, so for its samples only the nearest min(neighbours, n − 1) count, and a class with one sample is
    left out. Returns group, classes, samples, purity; rows many, medium, few, all (all classes alike); NaN for an empty
    group.
    """
    from sklearn.neighbors import NearestNeighbors

    counts = np.bincount(labels, minlength=len(groups))
    neighbours = min(neighbours, len(labels) - 1)
    asked = np.minimum(neighbours, counts[labels] - 1)  # [N]
    # Euclidean distance orders unit vectors as the cosine does.
    search = NearestNeighbors(n_neighbors=neighbours, algorithm="brute").fit(unit_rows(features))
    nearest = search.kneighbors(return_distance=False)  # [N, neighbours], without the sample itself
    own = (labels[nearest] == labels[:, None]) & (np.arange(neighbours) < asked[:, None])
    shares = 100 * own.sum(axis=1) / np.where(asked > 0, asked, np.nan)
    per_class = pd.Series(shares).groupby(labels).mean().dropna()
    return _by_group(per_class, counts, groups, "purity")


def tail_to_head_distance(
    features: np.ndarray, labels: np.ndarray, class_names: Sequence[str], groups: Sequence[str]
) -> pd.DataFrame:
    """For each few-shot class the nearest many-shot class: the one it is most easily taken for.

    The distance is the cosine distance between class centroids, a centroid being the mean of the class's unit features.
    Returns class_id, class_name, nearest_head_id, nearest_head_name, distance, nearest first; empty without few-shot or
    many-shot samples.
    """
    classes = np.unique(labels)
    unit = unit_rows(features)
    centroids = unit_rows(np.stack([unit[labels == k].mean(axis=0) for k in classes]))
    group_of = np.asarray(groups)[classes]
    tail, head = np.flatnonzero(group_of == "few"), np.flatnonzero(group_of == "many")
    columns = ["class_id", "class_name", "nearest_head_id", "nearest_head_name", "distance"]
    if not len(tail) or not len(head):
        return pd.DataFrame(columns=columns)
    similarity = centroids[tail] @ centroids[head].T  # [few-shot classes, many-shot classes]
    nearest = classes[head[similarity.argmax(axis=1)]]
    names = np.asarray(class_names, dtype=object)
    values = [classes[tail], names[classes[tail]], nearest, names[nearest], 1 - similarity.max(axis=1)]
    table = pd.DataFrame(dict(zip(columns, values, strict=True)))
    return table.sort_values("distance", kind="stable", ignore_index=True)


def separation_summary(
    features: np.ndarray, labels: np.ndarray, class_names: Sequence[str], groups: Sequence[str]
) -> pd.DataFrame:
    """The three scores of one feature space beside each other, by shot group, to compare it with another space.

    Returns group, silhouette, purity, head_distance (few-shot row only); rows many, medium, few, all.
    """
    silhouettes = silhouette_by_class(features, labels, groups)
    counts = np.bincount(labels, minlength=len(groups))
    per_class = silhouettes.set_index("class_id")["silhouette"].dropna()
    table = _by_group(per_class, counts, groups, "silhouette")[["group", "silhouette"]]
    purity = neighbour_purity(features, labels, groups)
    distances = tail_to_head_distance(features, labels, class_names, groups)["distance"]
    head_distance = np.where(table["group"] == "few", distances.mean() if len(distances) else np.nan, np.nan)
    return table.assign(purity=purity["purity"], head_distance=head_distance)


def _by_group(per_class: pd.Series, counts: np.ndarray, groups: Sequence[str], name: str) -> pd.DataFrame:
    """Average a score indexed by class over the classes of each group."""
    group_of = np.asarray(groups)[per_class.index]
    rows = []
    for group in GROUPS:
        members = per_class if group == "all" else per_class[group_of == group]
        rows.append((group, len(members), int(counts[members.index].sum()), float(members.mean())))
    return pd.DataFrame(rows, columns=["group", "classes", "samples", name])
