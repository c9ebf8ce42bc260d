"""What the embeddings page looks at: the images of chosen classes in the spaces of one or two models."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ballad.analysis.confusion import most_confused_classes
from ballad.schedules import model_title
from ballad.stages.plan import SplitName
from ballad.stages.projections import EvaluatedModel, Projection, ProjectionRequest, projection_stage
from ballad.stages.stage_store import StageStore
from dashboard.figures.embedding_map import Colouring
from dashboard.reading.kept import Kept, table_bytes
from dashboard.reading.loaders import evaluated_splits, evaluation, same_images
from dashboard.reading.workbench import open_store
from dashboard.views.confusion.confusion_view import Side

METHOD_TITLES = {"tsne": "t-SNE", "umap": "UMAP"}
CLASSES_NAMED_UP_TO = 30
PROJECTION_BYTES = 64 * 2**20
"""Of projections kept in memory: one of 10,000 images has 2 MB."""
SCORES = ["silhouette", "purity", "head_distance"]
COLUMNS = {
    "silhouette": "Silhouette",
    "purity": "Purity (%)",
    "head_distance": "To head",
    "nearest_head_name": "Nearest head",
    "distance": "To head",
}


@dataclass(frozen=True)
class EmbeddingView:
    """A projection with the models it shows, left to right."""

    sides: tuple[Side, ...]
    split: SplitName
    projection: Projection

    @property
    def title(self) -> str:
        return " and ".join(side.label for side in self.sides)

    @property
    def subject(self) -> str:
        """What an exported file is about."""
        return f"{self.title} {self.split}"

    @property
    def points(self) -> pd.DataFrame:
        """The table of :func:`dashboard.figures.embedding_map.embedding_map`."""
        points = self.projection.points
        correctness = np.where(points["correct"], "correct", "wrong")
        return points.assign(panel=self._labels(points["panel"]), correctness=correctness)

    @property
    def anchors(self) -> pd.DataFrame:
        """The class texts on the same maps."""
        return self.projection.anchors.assign(panel=self._labels(self.projection.anchors["panel"]))

    @property
    def few_classes(self) -> bool:
        """Whether each class can have a colour and a name of its own."""
        return self.projection.anchors["class_id"].nunique() <= CLASSES_NAMED_UP_TO

    @property
    def first_colouring(self) -> Colouring:
        """What colours mean until the reader chooses."""
        return "class_name" if self.few_classes else "group"

    @property
    def short_names(self) -> list[str]:
        """What to call the sides in the heads of columns."""
        models = [side.model for side in self.sides]
        return [model_title(side.model) if models.count(side.model) == 1 else side.run_label for side in self.sides]

    def score(self, panel: int, name: str, group: str) -> float:
        """A score of :func:`ballad.analysis.separation.separation_summary`; NaN for an empty group."""
        summary = self.projection.summary
        return float(summary.loc[(summary["panel"] == panel) & (summary["group"] == group), name].iloc[0])

    @property
    def notes(self) -> dict[str, list[str]]:
        """The few-shot classes' scores, as lines to stand with each model's map; none where the map has no such class.

        They let readers of the exported figure see how much of the visible separation was measured.
        """
        return {side.label: self._measured(panel) for panel, side in enumerate(self.sides)}

    def summary(self) -> pd.DataFrame:
        """One row per shot group, one column per score and side, where there is one."""
        return self._beside(self.projection.summary, ["group"], SCORES)

    def classes(self) -> pd.DataFrame:
        """One row per class: silhouette, for few-shot classes also the nearest many-shot class; one column per side."""
        scores = self.projection.silhouettes.merge(
            self.projection.head_distances[["panel", "class_id", "nearest_head_name", "distance"]],
            on=["panel", "class_id"],
            how="left",
        )
        keys = ["class_id", "class_name", "group", "samples"]
        return self._beside(scores, keys, ["silhouette", "nearest_head_name", "distance"]).drop(columns="class_id")

    def _measured(self, panel: int) -> list[str]:
        silhouette, purity, distance = (self.score(panel, name, "few") for name in SCORES)
        if purity != purity:
            return []
        to_heads = "" if distance != distance else f", to heads {distance:.3f}"
        return [f"few-shot silhouette {silhouette:.3f}", f"purity {purity:.1f} %{to_heads}"]

    def _labels(self, panels: pd.Series) -> pd.Series:
        return panels.map({panel: side.label for panel, side in enumerate(self.sides)})

    def _beside(self, table: pd.DataFrame, keys: list[str], values: list[str]) -> pd.DataFrame:
        """A row for each ``keys``, each of ``values`` once per side; rows and columns without a value are left out."""
        parts = [table[table["panel"] == panel].set_index(keys)[values] for panel in range(len(self.sides))]
        wide = pd.concat(
            [
                part[value].rename(f"{COLUMNS[value]}, {name}")
                for value in values
                for part, name in zip(parts, self.short_names, strict=True)
            ],
            axis=1,
        )
        wide = wide.dropna(how="all").dropna(axis="columns", how="all").reset_index()
        return wide.rename(columns={"group": "Group", "class_name": "Class", "samples": "Images"})


def projection_request(
    sides: Sequence[Side], split: SplitName, classes: Sequence[int], **settings: Any
) -> ProjectionRequest:
    """The request for these sides; the same model of the same run is shown once."""
    wanted = dict.fromkeys((side.run_id, side.model) for side in sides)
    models = tuple(EvaluatedModel(run=run_id, model=model) for run_id, model in wanted)
    return ProjectionRequest(sides=models, split=split, classes=tuple(classes), **settings)


def find_projection(request: ProjectionRequest) -> Projection | None:
    """The kept answer to a request; None if it has to be computed."""
    home = open_store().home
    stage = projection_stage(home, request)
    if not StageStore(home).present(stage):
        return None
    folder = StageStore(home).folder(stage)
    return _projections().get(folder, lambda: Projection.read(folder))


@st.cache_resource(show_spinner=False)
def _projections() -> Kept[Projection]:
    return Kept(PROJECTION_BYTES, lambda each: sum(table_bytes(table) for table in vars(each).values()))


def confused_classes(side: Side, split: SplitName, group: str, top: int) -> list[int]:
    """The classes of a shot group that a model recognises worst."""
    evaluated = evaluation(side.run_id, side.model, split)
    return most_confused_classes(evaluated.confusion, evaluated.per_class, group, top)["class_id"].tolist()


def comparable(left: str, right: str, split: SplitName) -> bool:
    """Whether two runs were evaluated on the same images of a split."""
    return split in evaluated_splits(right) and same_images(left, right, split)
