"""The maps that are kept of chosen runs, for an export pack: nothing is computed for it."""

from collections.abc import Iterator, Mapping

import plotly.graph_objects as go

from ballad.stages.projections import ProjectionRequest
from dashboard.exports.pack import NamedFigure, NamedTable
from dashboard.figures.embedding_map import embedding_map
from dashboard.reading.loaders import SPLIT_TITLES
from dashboard.ui.tasks import open_tasks
from dashboard.views.confusion.confusion_view import Side
from dashboard.views.embeddings.embedding_view import METHOD_TITLES, EmbeddingView, find_projection


def kept_maps(labels: Mapping[str, str]) -> tuple[list[NamedFigure], list[NamedTable]]:
    """Every map whose runs are all among ``labels`` (names by id), and how separate its shot groups are."""
    figures, tables = [], []
    for number, (method, view) in enumerate(kept_views(labels), start=1):
        where = f"{view.title}, {SPLIT_TITLES[view.split].lower()} split"
        points = view.points
        figures.append(
            NamedFigure(
                f"embeddings {number} {method} {view.subject}",
                f"Image features projected onto a plane ({METHOD_TITLES[method]}), {len(points):,} points: {where}.",
                map_figure(view),
                points,
            )
        )
        title = f"Separation in the original space of the images of map {number}: {where}."
        tables.append(NamedTable(f"separation {number} {view.subject}", title, view.summary()))
    return figures, tables


def map_figure(view: EmbeddingView) -> go.Figure:
    """The map as the page first shows it."""
    anchors = view.anchors if view.few_classes else None
    return embedding_map(view.points, colour_by=view.first_colouring, anchors=anchors, notes=view.notes)


def kept_views(labels: Mapping[str, str]) -> Iterator[tuple[str, EmbeddingView]]:
    """Method and view of every kept map whose runs are all among ``labels`` (names by id)."""
    for task in open_tasks().done("projection"):
        request = ProjectionRequest.model_validate(task.arguments)
        if not all(side.run in labels for side in request.sides):
            continue
        projection = find_projection(request)
        if projection is not None:
            sides = tuple(Side(side.run, labels[side.run], side.model) for side in request.sides)
            yield request.method, EmbeddingView(sides, request.split, projection)
