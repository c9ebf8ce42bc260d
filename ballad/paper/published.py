"""The numbers that the paper publishes (arXiv 2111.14745), to be shown beside one's own.

The rows are in ``assets/paper.csv``, one a published result. They are not complete: a number is there only where it
could be confirmed, and what could not is left out instead of guessed. So far that is the accuracy over all classes of
BALLAD (Tables 1–3, without RN101) and of zero-shot CLIP (Table 9), and the unbalanced Phase A of Tables 4, 5 and 7.
Tables 6, 8 and 10, the values in Figures 3–5, and many/medium/few of every row but one (zero-shot CLIP with RN50 on
ImageNet-LT) are missing. Which table a row of Tables 1–3 and 9 belongs to follows from its subject. Whoever has the
paper at hand can add rows to the file: the tests check each complete one against the shot-weighted identity of
:func:`accuracy_from_groups`.
"""

from dataclasses import dataclass

import pandas as pd

from ballad.errors import SettingsError
from ballad.package import ASSETS

ROWS = ASSETS / "paper.csv"
TABLES = tuple(f"table{number}" for number in range(1, 11))
SHOT_GROUP_CLASSES = {
    "ImageNet-LT": {"many": 385, "medium": 479, "few": 136},
    "Places-LT": {"many": 131, "medium": 163, "few": 71},
    "CIFAR100-LT": {"many": 35, "medium": 35, "few": 30},
}
"""How many classes each shot group has, under the names that the rows use for the datasets."""


@dataclass(frozen=True)
class Tension:
    """Where the paper disagrees with itself, with its released code, or with its datasets.

    ``tables`` are those it touches; empty means every one.
    """

    note: str
    tables: tuple[str, ...] = ()


TENSIONS = (
    Tension(
        "The paper states a temperature of τ = 1; its released code scales similarities by 100, as CLIP does. "
        "With τ = 1 and 1,000 classes no probability can exceed 0.73 %."
    ),
    Tension(
        "The paper's adapter (Eq. 5) has a ReLU and a bias; the released code's has neither.",
        ("table1", "table2", "table3", "table6", "table7", "table8", "table9", "table10"),
    ),
    Tension("Places-LT has 62,500 training images; the paper says 184.5K.", ("table2",)),
    Tension("CIFAR100-LT with ratio 100 has 10,847 training images; the paper says 50K.", ("table3",)),
    Tension(
        "Phase A without balancing is given three times: 61.6 in Table 4, 66.1 in Table 5 and 62.6 in Table 7.",
        ("table4", "table5", "table7"),
    ),
)


def published(table: str | None = None) -> pd.DataFrame:
    """The published rows of one table (``table1`` … ``table10``), or all of them.

    Returns table, dataset, method, backbone, epochs (``50+10``: Phase A + Phase B), many, medium, few, all (top-1
    accuracy in percent, NaN where not at hand), note. A table of which nothing is at hand has no rows.
    Raises SettingsError for a name that is no table of the paper.
    """
    rows = pd.read_csv(ROWS, dtype={"epochs": str})
    rows = rows.fillna({"epochs": "", "note": ""})
    return rows if table is None else rows[rows["table"] == _known(table)].reset_index(drop=True)


def tensions(table: str | None = None) -> list[str]:
    """What to know before comparing with a published table, or with any: one sentence or two each."""
    if table is None:
        return [tension.note for tension in TENSIONS]
    return [tension.note for tension in TENSIONS if not tension.tables or _known(table) in tension.tables]


def accuracy_from_groups(dataset: str, many: float, medium: float, few: float) -> float:
    """The accuracy over all images that group accuracies imply on a balanced test set.

    Every class has as many test images, so it is the mean of the groups weighted by their numbers of classes. All of
    the paper's rows fulfil it to 0.1.
    """
    classes = SHOT_GROUP_CLASSES[dataset]
    total = many * classes["many"] + medium * classes["medium"] + few * classes["few"]
    return total / sum(classes.values())


def _known(table: str) -> str:
    if table not in TABLES:
        raise SettingsError(f"The paper has no '{table}'; its tables are {', '.join(TABLES)}.")
    return table
