"""Which classes are taken for which: orders, blocks, pairs and neighbours of a sparse confusion.

``confusion`` and ``per_class`` are those of :class:`ballad.analysis.evaluation.Report`. Rates are percentages of the
true class's images. With a thousand classes a whole matrix cannot be read: look at shot groups
(:func:`group_confusion`), at the classes that are confused most (:func:`classes_of_pairs`), or at one class
(:func:`class_neighbours`).
"""

from collections.abc import Sequence
from typing import Literal, assert_never

import numpy as np
import pandas as pd

from ballad.shot_groups import SHOT_GROUPS

Order = Literal["group", "count", "similarity", "name"]


def class_order(per_class: pd.DataFrame, by: Order, text_features: np.ndarray | None = None) -> np.ndarray:
    """The classes in the order of a heatmap's rows: class ids, int64 [K].

    ``group``: many, medium, few, each from the most training images to the fewest; ``count``: the same without regard
    to groups; ``name``: alphabetical; ``similarity``: neighbours have similar text features [K, d] (leaves of an
    average-linkage tree over cosine distances).
    """
    fewest_last = -per_class["train_count"].to_numpy()
    match by:
        case "similarity":
            if text_features is None:
                raise ValueError("the order by similarity needs text_features")
            return _leaf_order(text_features)
        case "name":
            return per_class["class_name"].str.casefold().argsort(kind="stable").to_numpy()
        case "count":
            return np.argsort(fewest_last, kind="stable")
        case "group":
            rank = per_class["group"].map({group: rank for rank, group in enumerate(SHOT_GROUPS)})
            return np.lexsort((fewest_last, rank))
    assert_never(by)


def group_confusion(confusion: pd.DataFrame, per_class: pd.DataFrame) -> pd.DataFrame:
    """Where the images of each shot group end up: rows many, medium, few; columns right, many, medium, few.

    ``right`` is the share of images predicted correctly, the other columns those taken for another class of that group.
    Percent of the group's images; NaN for an empty group.
    """
    groups = per_class["group"].to_numpy()
    wrong = confusion["true"] != confusion["predicted"]
    ends = np.where(wrong, groups[confusion["predicted"]], "right")
    table = confusion["count"].groupby([groups[confusion["true"]], ends]).sum().unstack(fill_value=0)
    table = table.reindex(index=list(SHOT_GROUPS), columns=["right", *SHOT_GROUPS]).fillna(0)
    return 100 * table.div(table.sum(axis=1).replace(0, np.nan), axis=0)


def most_confused_pairs(confusion: pd.DataFrame, per_class: pd.DataFrame, top: int = 50) -> pd.DataFrame:
    """The cells off the diagonal with the most images.

    Returns true, true_name, true_group, predicted, predicted_name, predicted_group, count, rate, sample_ids.
    """
    wrong = confusion[confusion["true"] != confusion["predicted"]]
    rate = 100 * wrong["count"] / per_class["test_count"].to_numpy()[wrong["true"]]
    pairs = wrong.assign(rate=rate).sort_values(["count", "rate"], ascending=False, kind="stable", ignore_index=True)
    return _with_names(pairs.head(top), per_class, ["true", "predicted"])[
        [*_named("true"), *_named("predicted"), "count", "rate", "sample_ids"]
    ]


def difference(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """What changed from one run to another on the same images.

    Returns true, predicted, before, after (counts), change, sample_ids_before, sample_ids_after, for every cell that
    either run has; the largest changes first.
    """
    cells = before.merge(after, on=["true", "predicted"], how="outer", suffixes=("_before", "_after"))
    counts = cells[["count_before", "count_after"]].fillna(0).astype(np.int64)
    nobody = np.zeros(0, np.int64)
    table = pd.DataFrame(
        {
            "true": cells["true"],
            "predicted": cells["predicted"],
            "before": counts["count_before"],
            "after": counts["count_after"],
            "change": counts["count_after"] - counts["count_before"],
            "sample_ids_before": [ids if isinstance(ids, np.ndarray) else nobody for ids in cells["sample_ids_before"]],
            "sample_ids_after": [ids if isinstance(ids, np.ndarray) else nobody for ids in cells["sample_ids_after"]],
        }
    )
    return table.sort_values("change", key=abs, ascending=False, kind="stable", ignore_index=True)


def most_confused_classes(
    confusion: pd.DataFrame, per_class: pd.DataFrame, group: str = "few", top: int = 10
) -> pd.DataFrame:
    """The classes of a shot group that are recognised worst, and what each is taken for most often.

    Returns class_id, class_name, images, error (percent), taken_for, taken_for_name, taken_for_rate (percent); classes
    without a single error are left out. The first few are a choice for a map like the paper's Figure 6.
    """
    members = per_class[(per_class["group"] == group) & (per_class["test_count"] > 0) & (per_class["accuracy"] < 100)]
    worst = members.sort_values("accuracy", kind="stable").head(top)
    pairs = most_confused_pairs(confusion, per_class, top=len(confusion)).drop_duplicates("true").set_index("true")
    taken_for = pairs.loc[worst["class_id"]]
    return pd.DataFrame(
        {
            "class_id": worst["class_id"].to_numpy(),
            "class_name": worst["class_name"].to_numpy(),
            "images": worst["test_count"].to_numpy(),
            "error": 100 - worst["accuracy"].to_numpy(),
            "taken_for": taken_for["predicted"].to_numpy(),
            "taken_for_name": taken_for["predicted_name"].to_numpy(),
            "taken_for_rate": taken_for["rate"].to_numpy(),
        }
    )


def classes_of_pairs(pairs: pd.DataFrame, size: int) -> np.ndarray:
    """The classes of the first ``pairs`` (true, predicted), for one readable heatmap: class ids, int64 [≤ size].

    Pairs are taken in their order until the next one has no room, so a block of the most confused classes holds the
    first rows of :func:`most_confused_pairs`, all of them up to there.
    """
    block: dict[int, None] = {}
    for pair in zip(pairs["true"].tolist(), pairs["predicted"].tolist(), strict=True):
        grown = block | dict.fromkeys(pair)
        if len(grown) > size:
            break
        block = grown
    return np.array(list(block), np.int64)


def class_neighbours(confusion: pd.DataFrame, per_class: pd.DataFrame, class_id: int, top: int = 10) -> pd.DataFrame:
    """The classes that one class is confused with, in either direction, the most frequent first.

    Returns class_id, class_name, class_group of the other class, taken_for_it (images of this class predicted as the
    other), taken_for_this (images of the other class predicted as this), total.
    """
    wrong = confusion[confusion["true"] != confusion["predicted"]]
    leaving = wrong[wrong["true"] == class_id].set_index("predicted")["count"]
    arriving = wrong[wrong["predicted"] == class_id].set_index("true")["count"]
    table = pd.DataFrame({"taken_for_it": leaving, "taken_for_this": arriving}).fillna(0).astype(np.int64)
    table["total"] = table.sum(axis=1)
    table = table.rename_axis("class_id").reset_index()
    table = table.sort_values("total", ascending=False, kind="stable", ignore_index=True).head(top)
    return _with_names(table, per_class, ["class_id"]).rename(
        columns={"class_id_name": "class_name", "class_id_group": "class_group"}
    )[["class_id", "class_name", "class_group", "taken_for_it", "taken_for_this", "total"]]


def _leaf_order(text_features: np.ndarray) -> np.ndarray:
    from scipy.cluster.hierarchy import leaves_list, linkage

    tree = linkage(np.asarray(text_features, np.float64), method="average", metric="cosine")
    return leaves_list(tree).astype(np.int64)


def _with_names(table: pd.DataFrame, per_class: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    for column in columns:
        rows = per_class.iloc[table[column]]
        names, groups = rows["class_name"].to_numpy(), rows["group"].to_numpy()
        table = table.assign(**{f"{column}_name": names, f"{column}_group": groups})
    return table


def _named(column: str) -> list[str]:
    return [column, f"{column}_name", f"{column}_group"]
