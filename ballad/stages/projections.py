"""Maps of the images of one or two models side by side, such as the paper's Figure 6, kept as stages.

    features ─► neighbourhood ─► projection

Both need only what finished runs have kept, never an image. The neighbourhood serves every method and all its settings.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from ballad.errors import RunError
from ballad.events import CancelToken, Event, Progress, ignore
from ballad.schedules import Model
from ballad.stages.plan import Plan, SplitName
from ballad.stages.run_folder import RunFolder
from ballad.stages.stage_store import Stage, StageStore
from ballad.whole_files import write_whole

if TYPE_CHECKING:
    from ballad.analysis.projection import Neighbourhood

TABLES = ("points", "anchors", "summary", "silhouettes", "head_distances")
DEFAULT_LIMIT = 2000


class EvaluatedModel(BaseModel):
    """One model of a finished run."""

    model_config = ConfigDict(frozen=True)

    run: str
    model: Model


class ProjectionRequest(BaseModel):
    """What to lay out, and how. ``classes``: ids, empty for all; ``limit``: images at most, few-shot ones first.

    perplexity belongs to t-SNE, n_neighbors and min_dist to UMAP.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sides: Annotated[tuple[EvaluatedModel, ...], Field(min_length=1, max_length=2)]
    split: SplitName = "test"
    classes: tuple[int, ...] = ()
    limit: int = Field(DEFAULT_LIMIT, ge=5)
    method: Literal["tsne", "umap"] = "tsne"
    perplexity: float = Field(30, ge=2, le=30)
    n_neighbors: int = Field(15, ge=2, le=90)
    min_dist: float = Field(0.1, ge=0, lt=1)
    seed: int = Field(0, ge=0)

    def arguments(self) -> dict[str, Any]:
        """For a task of the kind ``projection``; settings of the other method make no difference."""
        others = {"n_neighbors", "min_dist"} if self.method == "tsne" else {"perplexity"}
        return self.model_dump(mode="json", exclude=others)


@dataclass(frozen=True)
class Projection:
    """What a projection stage holds; ``panel`` is 0 or 1, the place of the side in the request.

    - points: panel, sample (index in the split), class_id, class_name, group, predicted (a name), correct, x, y
    - anchors: panel, class_id, class_name, x, y: where the texts of the chosen classes belong
    - summary: panel, group, silhouette, purity, head_distance
    - silhouettes: panel, class_id, class_name, group, samples, silhouette
    - head_distances: panel, class_id, class_name, nearest_head_id, nearest_head_name, distance

    The last three are measured in the original space, on the same samples; see :mod:`ballad.analysis.separation`. The
    nearest head is looked for among all many-shot classes of the split, also where the map leaves them out.
    """

    points: pd.DataFrame
    anchors: pd.DataFrame
    summary: pd.DataFrame
    silhouettes: pd.DataFrame
    head_distances: pd.DataFrame

    @classmethod
    def read(cls, folder: Path) -> Self:
        return cls(**{name: pd.read_parquet(folder / f"{name}.parquet") for name in TABLES})


def projection_stage(home: Path, request: ProjectionRequest) -> Stage:
    """Where the answer to a request lies, or will. RunError if a run is not finished."""
    plans = [RunFolder.of(home, side.run).plan() for side in request.sides]
    sides = zip(request.sides, plans, strict=True)
    inputs = request.arguments()
    inputs["classes"] = sorted(set(request.classes))
    inputs["sides"] = [plan.evaluation(side.model).key for side, plan in sides]
    return Stage("projection", inputs)


def compute_projection(
    home: Path,
    request: ProjectionRequest,
    *,
    report: Callable[[float, str], None] = lambda share, doing: None,
    cancel: CancelToken | None = None,
) -> Stage:
    """Compute what was requested, unless it is there; see :class:`Projection`.

    Raises RunError if a run or stage is missing, if two sides were not evaluated on the same images, or for fewer than
    5 images, and Cancelled.
    """
    cancel = cancel or CancelToken()
    stage = projection_stage(home, request)
    stages = StageStore(home)
    if not stages.present(stage):
        mapping = _Mapping(home, request, report, cancel)
        spaces = mapping.spaces()
        stages.obtain(stage, partial(mapping.write, spaces), device="cpu", on_event=ignore, cancel=cancel)
    return stage


@dataclass(frozen=True)
class _Space:
    """One side after the adapter: the map's images [N, d], many-shot images [H, d], the class texts' directions [C, d].

    The directions are those from the mean of all class texts: some images are near every text, and what matters is how
    much nearer they are to one.
    """

    images: np.ndarray
    head_images: np.ndarray
    texts: np.ndarray
    neighbours: "Neighbourhood"


class _Mapping:
    """The computation of one projection."""

    def __init__(
        self, home: Path, request: ProjectionRequest, report: Callable[[float, str], None], cancel: CancelToken
    ) -> None:
        from ballad.analysis.projection import subsample

        self._stages = StageStore(home)
        self._request, self._report, self._cancel = request, report, cancel
        self._folders = [RunFolder.of(home, side.run) for side in request.sides]
        self._models = [side.model for side in request.sides]
        split = request.split
        self._predictions = [
            folder.predictions(model, split) for folder, model in zip(self._folders, self._models, strict=True)
        ]
        tables = [folder.classes(model, split) for folder, model in zip(self._folders, self._models, strict=True)]
        self._require_same_images(tables)
        self._names = tables[0]["class_name"].to_numpy(dtype=object)
        self._groups = tables[0]["group"].tolist()
        self._classes = np.array(sorted(set(request.classes)) or range(len(self._names)), np.int64)
        if self._classes[-1] >= len(self._names):
            raise RunError(
                f"The run {request.sides[0].run} has no class {self._classes[-1]}; choose the classes again."
            )
        labels = self._predictions[0].labels
        candidates = np.flatnonzero(np.isin(labels, self._classes))
        self._samples = candidates[subsample(labels[candidates], self._groups, request.limit)]
        self._labels = labels[self._samples]
        self._heads = np.flatnonzero(np.array(self._groups)[labels] == "many")
        self._head_labels = labels[self._heads]

    def spaces(self) -> list[_Space]:
        """The neighbourhoods come first, as stages of their own that other methods and settings find again."""
        from ballad.stages.feature_spaces import FeatureSpace

        found = []
        for panel, (folder, model) in enumerate(zip(self._folders, self._models, strict=True)):
            self._report(0.3 * panel / len(self._models), "Finding each image's neighbours")
            space = FeatureSpace(folder.plan(), model, self._stages)
            images = space.image_features(self._request.split, self._samples)
            head_images = space.image_features(self._request.split, self._heads)
            texts = space.class_texts()
            neighbours = self._neighbourhood(folder.plan(), model, images)
            found.append(_Space(images, head_images, (texts - texts.mean(axis=0))[self._classes], neighbours))
        return found

    def write(self, spaces: list[_Space], folder: Path) -> None:
        """Lay the spaces out, measure them, and write the tables of a :class:`Projection`."""
        from ballad.analysis.projection import align, place_class_texts

        tables: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
        first: np.ndarray | None = None
        for panel, space in enumerate(spaces):
            layout = self._layout(panel, space)
            first = layout if first is None else first
            layout = align(layout, first)
            anchors = place_class_texts(layout, space.images, space.texts)
            tables["points"].append(self._points(panel, layout))
            names = self._names[self._classes]
            columns = {"class_id": self._classes, "class_name": names, "x": anchors[:, 0], "y": anchors[:, 1]}
            tables["anchors"].append(pd.DataFrame({"panel": panel, **columns}))
            for name, table in self._scores(space).items():
                tables[name].append(table.assign(panel=panel))
        for name, parts in tables.items():
            table = pd.concat(parts, ignore_index=True)
            write_whole(folder / f"{name}.parquet", partial(table.to_parquet, index=False))

    def _neighbourhood(self, plan: Plan, model: Model, images: np.ndarray) -> "Neighbourhood":
        from ballad.analysis.projection import Neighbourhood, neighbourhood

        adapter = plan.adapter_holder(model)
        inputs = {
            "features": plan.features(model, self._request.split).key,
            "adapter": adapter.key if adapter else None,
            "classes": self._classes.tolist(),
            "limit": self._request.limit,
        }

        def compute(folder: Path) -> None:
            neighbourhood(images, cancel=self._cancel).save(folder / "neighbourhood.npz")

        stage = Stage("neighbourhood", inputs)
        folder = self._stages.obtain(stage, compute, device="cpu", on_event=ignore, cancel=self._cancel)
        return Neighbourhood.load(folder / "neighbourhood.npz")

    def _layout(self, panel: int, space: _Space) -> np.ndarray:
        from ballad.analysis.projection import project

        request, panels = self._request, len(self._models)
        doing = f"Laying out {len(self._samples):,} images" + (f", map {panel + 1} of {panels}" if panels > 1 else "")

        def tell(event: Event) -> None:
            if isinstance(event, Progress):
                self._report(0.3 + 0.65 * (panel + event.step / event.steps) / panels, doing)

        self._report(0.3 + 0.65 * panel / panels, doing)
        return project(
            space.neighbours,
            request.method,
            seed=request.seed,
            perplexity=request.perplexity,
            n_neighbors=request.n_neighbors,
            min_dist=request.min_dist,
            on_event=tell,
            cancel=self._cancel,
        )

    def _points(self, panel: int, layout: np.ndarray) -> pd.DataFrame:
        predicted = self._predictions[panel].predicted[self._samples]
        return pd.DataFrame(
            {
                "panel": panel,
                "sample": self._samples,
                "class_id": self._labels,
                "class_name": self._names[self._labels],
                "group": np.array(self._groups, dtype=object)[self._labels],
                "predicted": self._names[predicted],
                "correct": predicted == self._labels,
                "x": layout[:, 0],
                "y": layout[:, 1],
            }
        )

    def _scores(self, space: _Space) -> dict[str, pd.DataFrame]:
        from ballad.analysis.separation import separation_summary, silhouette_by_class, tail_to_head_distance

        silhouettes = silhouette_by_class(space.images, self._labels, self._groups)
        summary = separation_summary(space.images, self._labels, self._names, self._groups)
        is_head = np.array(self._groups)[self._labels] == "many"
        images = np.concatenate([space.images[~is_head], space.head_images])
        labels = np.concatenate([self._labels[~is_head], self._head_labels])
        head_distances = tail_to_head_distance(images, labels, self._names, self._groups)
        summary.loc[summary["group"] == "few", "head_distance"] = head_distances["distance"].mean()
        return {
            "summary": summary,
            "silhouettes": silhouettes.assign(class_name=self._names[silhouettes["class_id"]]),
            "head_distances": head_distances,
        }

    def _require_same_images(self, tables: list[pd.DataFrame]) -> None:
        first, *others = zip(self._predictions, tables, strict=True)
        for predictions, table in others:
            columns = ["class_name", "group"]
            if not (np.array_equal(predictions.labels, first[0].labels) and table[columns].equals(first[1][columns])):
                runs = " and ".join(side.run for side in self._request.sides)
                raise RunError(
                    f"The runs {runs} were not evaluated on the same images; choose runs on the same dataset."
                )
