"""The numbers that the paper publishes (arXiv 2111.14745), to be shown next to measured results.

The rows are in ``assets/paper.csv``, one per published result: all of Tables 1–10, and what the text says of Figures 4
and 5. Figure 3 and the other points of Figures 4–6 are plotted without numbers, and are absent here.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from ballad.errors import SettingsError
from ballad.package import ASSETS

ROWS = ASSETS / "paper.csv"
TABLES = tuple(f"table{number}" for number in range(1, 11))
PLACES = (*TABLES, "figure4", "figure5")
"""Where the paper gives numbers."""
SHOT_GROUP_CLASSES = {
    "ImageNet-LT": {"many": 385, "medium": 479, "few": 136},
    "Places-LT": {"many": 131, "medium": 163, "few": 71},
    "CIFAR100-LT": {"many": 35, "medium": 35, "few": 30},
}
"""How many classes each shot group has, under the names that the rows use for the datasets."""
ROUNDING = 0.15
"""Points between a row's accuracy and the one that its groups imply, which printing one decimal explains."""
MARK = "†"
"""Marks rows whose groups imply another accuracy than the one printed."""
AS_PRINTED = (
    f"Rows with {MARK} are quoted from other papers and shown as printed: the mean of their groups, weighted by "
    "their numbers of classes, differs from the overall accuracy printed next to it."
)


@dataclass(frozen=True)
class Tension:
    """Where the paper disagrees with itself, with its released code, or with its datasets.

    ``places`` are the tables and figures it touches; empty means every one.
    """

    note: str
    places: tuple[str, ...] = ()


_WITH_ADAPTER = ("table1", "table2", "table3", "table6", "table7", "table8", "table9", "table10", "figure4", "figure5")
TENSIONS = (
    Tension(
        "The paper states a temperature of τ = 1; its released code scales similarities by 100, as CLIP does. "
        "With τ = 1 and 1,000 classes no probability can exceed 0.73 %."
    ),
    Tension("The paper's adapter (Eq. 5) has a ReLU and a bias; the released code's has neither.", _WITH_ADAPTER),
    Tension("Places-LT has 62,500 training images; the paper says 184.5K.", ("table2",)),
    Tension("CIFAR100-LT with ratio 100 has 10,847 training images; the paper says 50K.", ("table3",)),
    Tension(
        "Phase A alone, both towers, is given five times: 61.6 in Table 4, 66.1 in Table 5, 62.6 in Table 7, and 66.4 "
        "and 66.0 in the text on Figure 4 (after 60 epochs).",
        ("table4", "table5", "table7", "figure4"),
    ),
    Tension(
        "λ = 0.2 gives 67.1 in the text on Figure 5, and 67.2 in Tables 1 and 6–10.",
        ("table1", "table6", "table7", "table8", "table9", "table10", "figure5"),
    ),
    Tension(AS_PRINTED, ("table1", "table2", "table3")),
)


def published(place: str | None = None) -> pd.DataFrame:
    """The published rows of one table or figure (``table1`` … ``figure5``), or all of them.

    Returns table, dataset, setting (a method, or what the table varies), backbone, epochs (``50+10``: Phase A +
    Phase B), many, medium, few, all (top-1 accuracy in percent, NaN where none is printed), mark (``†`` where the
    groups imply another accuracy, which the note then names), note.
    Raises SettingsError for a place where the paper gives no numbers.
    """
    rows = _rows()
    return rows.copy() if place is None else rows[rows["table"] == _known(place)].reset_index(drop=True)


def tensions(place: str | None = None) -> list[str]:
    """What to know before comparing with a published table or figure, or with any: one sentence or two each."""
    if place is None:
        return [tension.note for tension in TENSIONS]
    return [tension.note for tension in TENSIONS if not tension.places or _known(place) in tension.places]


def accuracy_from_groups(dataset: str, many: float, medium: float, few: float) -> float:
    """The accuracy over all images that group accuracies imply on a balanced test set.

    Every class has as many test images, so it is the mean of the groups weighted by their numbers of classes. The
    paper's own rows fulfil it to ``ROUNDING``; some of those it quotes from others do not.
    """
    classes = SHOT_GROUP_CLASSES[dataset]
    total = many * classes["many"] + medium * classes["medium"] + few * classes["few"]
    return total / sum(classes.values())


@cache
def _rows() -> pd.DataFrame:
    rows = pd.read_csv(ROWS, dtype={"epochs": str}).fillna({"epochs": "", "note": ""})
    implied = [accuracy_from_groups(*row) for row in rows[["dataset", "many", "medium", "few"]].itertuples(index=False)]
    apart = np.abs(rows["all"] - implied) > ROUNDING
    rows.insert(rows.columns.get_loc("note"), "mark", np.where(apart, MARK, ""))
    as_printed = [f"{MARK} as printed; its groups give {accuracy:.1f}" for accuracy in implied]
    rows["note"] = rows["note"].where(~apart, [_both(*notes) for notes in zip(rows["note"], as_printed, strict=True)])
    return rows


def _both(note: str, further: str) -> str:
    return f"{note}; {further}" if note else further


def _known(place: str) -> str:
    if place not in PLACES:
        raise SettingsError(f"The paper gives no numbers for '{place}'; it does for {', '.join(PLACES)}.")
    return place
