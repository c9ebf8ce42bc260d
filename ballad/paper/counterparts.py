"""Which published number a result is compared with, and whether it was measured on the same dataset and backbone."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from ballad.data.catalog import CATALOG
from ballad.experiment import Experiment
from ballad.paper import published as paper
from ballad.paper.presets import BALLAD, Reference, place_title
from ballad.sections import DatasetSettings
from ballad.shot_groups import GROUPS

PAPER_DATASET, PAPER_BACKBONE = "ImageNet-LT", "RN50"
"""What the paper's ablations were measured on."""


@dataclass(frozen=True)
class Counterpart:
    """A published row; accuracies in percent, NaN where none is printed.

    same_setup : it was measured on the same dataset and backbone.
    """

    place: str
    dataset: str
    backbone: str
    same_setup: bool
    accuracies: dict[str, float]

    @property
    def source(self) -> str:
        """``Table 1, ImageNet-LT, RN50``."""
        return f"{place_title(self.place)}, {self.dataset}, {self.backbone}"


def find_counterpart(experiment: Experiment, references: Sequence[Reference]) -> Counterpart | None:
    """The published row closest to an experiment; None if the paper prints none.

    Rows on the same dataset and backbone go before others, then earlier references before later ones, then rows of
    the paper's ablations (ImageNet-LT, RN50).
    """
    dataset, backbone = published_dataset(experiment.dataset), experiment.backbone.name
    rows = paper.published()
    best: tuple[tuple[int, ...], Counterpart] | None = None
    for place, reference in enumerate(references):
        named = rows[(rows["setting"] == reference.setting) & rows["table"].isin(reference.places)]
        for row in named.to_dict("records"):
            same_setup = (row["dataset"], row["backbone"]) == (dataset, backbone)
            closeness = (same_setup, -place, row["dataset"] == PAPER_DATASET, row["backbone"] == PAPER_BACKBONE)
            if best is None or closeness > best[0]:
                accuracies = {group: row[group] for group in GROUPS}
                best = (closeness, Counterpart(row["table"], row["dataset"], row["backbone"], same_setup, accuracies))
    return None if best is None else best[1]


def rivals(place: str) -> pd.DataFrame:
    """The other methods' rows in Tables 1–3, on other backbones: columns of :func:`~ballad.paper.published.published`.

    Empty for every other table or figure.
    """
    rows = paper.published()
    return rows[(rows["table"] == place) & (place in BALLAD.places) & (rows["setting"] != BALLAD.setting)]


def published_dataset(settings: DatasetSettings) -> str | None:
    """The paper's name of a dataset; None where it is not the paper's, or only a part of it."""
    cuts = {"imbalance_ratio", "imbalance_profile", "classes"}
    whole = settings.model_dump(include=cuts) == DatasetSettings().model_dump(include=cuts)
    return CATALOG[settings.source].title if whole and settings.source in CATALOG else None
