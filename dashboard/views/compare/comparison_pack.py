"""The export pack of a comparison: every figure and table of the chosen runs in one zip."""

from collections.abc import Mapping, Sequence

import pandas as pd

from ballad.analysis.confusion import group_confusion
from ballad.stages.plan import SplitName
from ballad.store import queries
from ballad.store.run_store import RunStore
from dashboard.exports.format import FigureFormat
from dashboard.exports.pack import NamedFigure, NamedTable, export_pack
from dashboard.exports.registry import FIGURE_FORMATS
from dashboard.figures.accuracy_curves import accuracy_curves
from dashboard.figures.comparison import comparison_dots
from dashboard.figures.confusion import confusion_heatmap
from dashboard.figures.differences import difference_intervals
from dashboard.figures.group_confusion import group_confusion_heatmap
from dashboard.figures.training_curves import training_curves
from dashboard.reading.curves import accuracy_table as accuracy_curve_table
from dashboard.reading.curves import quantity_table
from dashboard.reading.loaders import SPLIT_TITLES, class_order, images_in_split
from dashboard.views.compare.comparison import Row, accuracy_table, difference_table, settings_table
from dashboard.views.confusion.confusion_view import ConfusionView, Side, exported
from dashboard.views.embeddings.embedding_pack import kept_maps


def comparison_pack(
    store: RunStore,
    rows: Sequence[Row],
    split: SplitName,
    *,
    labels: Mapping[str, str],
    accuracies: pd.DataFrame,
    found: pd.DataFrame,
    baseline: str,
    differing: pd.DataFrame,
    extra_figures: Sequence[NamedFigure] = (),
    formats: Sequence[FigureFormat] = tuple(FIGURE_FORMATS.values()),
) -> bytes:
    """A zip of the comparison, its differences from ``baseline``, the runs' curves, maps, and each row's confusion.

    ``labels`` names the runs by id; the tables are those of :mod:`dashboard.views.compare.comparison`; figures come
    in ``formats`` beside HTML. RunError if a run's folder is gone.
    """
    where = f"on the {SPLIT_TITLES[split].lower()} split"
    images = images_in_split((run_id for row in rows for run_id in row.run_ids), split)
    figures = [
        NamedFigure(
            "comparison", f"Accuracy by shot group {where}.", comparison_dots(accuracies, images=images), accuracies
        ),
        *extra_figures,
    ]
    tables = [
        NamedTable("comparison", f"Accuracy (%) {where}: mean ± s.d. over seeds.", accuracy_table(accuracies)),
    ]
    if len(found):
        title = f"Differences from {baseline} {where}, with 95 % intervals of a paired bootstrap over images."
        figures.append(NamedFigure("differences", title, difference_intervals(found), found))
        tables.append(NamedTable("differences", f"{title} *: p < 0.05.", difference_table(found)))
    if len(differing.columns):
        tables.append(NamedTable("settings", "Settings in which the rows differ.", settings_table(differing)))
    figures += _curves(store, labels)
    for row in rows:
        row_figures, row_tables = _confusion(row, labels[row.run_ids[0]], split)
        figures += row_figures
        tables += row_tables
    map_figures, map_tables = kept_maps(labels)
    figures += map_figures
    tables += map_tables
    experiments = {labels[run_id]: store.get(run_id).experiment for row in rows for run_id in row.run_ids}
    return export_pack(figures, tables, experiments, formats=formats)


def _curves(store: RunStore, labels: Mapping[str, str]) -> list[NamedFigure]:
    metrics = queries.epoch_metrics(store, list(labels))
    accuracy = accuracy_curve_table(metrics, labels)
    loss, rate = (quantity_table(metrics, labels, quantity) for quantity in ("loss", "learning_rate"))
    curves = accuracy_curves(accuracy, images=images_in_split(labels, "val"))
    return [
        NamedFigure("accuracy curves", "Validation accuracy by epoch.", curves, accuracy),
        NamedFigure("training loss", "Training loss by epoch.", training_curves(loss, "loss"), loss),
        NamedFigure("learning rate", "Learning rate by epoch.", training_curves(rate, "learning_rate"), rate),
    ]


def _confusion(row: Row, run_label: str, split: SplitName) -> tuple[list[NamedFigure], list[NamedTable]]:
    """Of the row's first seed: where shot groups end up, the classes most confused, every class, the worst pairs."""
    view = ConfusionView(Side(row.run_ids[0], run_label, row.model), None, split)
    where = f"{view.title}, {SPLIT_TITLES[split].lower()} split"
    shares = group_confusion(view.ours.confusion, view.ours.per_class)
    order = class_order(view.side.run_id, view.side.model, split, "group")
    block = view.classes("block", order, None)
    heatmap = confusion_heatmap(view.ours.confusion, block, view.class_names)
    figures = [
        NamedFigure(
            f"shot groups {view.subject}",
            f"Shot groups predicted for the images of each shot group: {where}.",
            group_confusion_heatmap(shares, view.images_by_group),
            shares.rename_axis("group").reset_index(),
        ),
        NamedFigure(
            f"confusion {view.subject}",
            f"The most confused classes: {where}.",
            heatmap,
            exported(view.cells(block)),
        ),
    ]
    tables = [
        NamedTable(f"classes {view.subject}", f"Every class: {where}.", view.ours.per_class),
        NamedTable(f"confused pairs {view.subject}", f"The most confused pairs: {where}.", exported(view.pairs())),
    ]
    return figures, tables
