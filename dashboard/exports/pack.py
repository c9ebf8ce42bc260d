"""Everything about a selection in one zip: figures, their data, tables, settings, versions, and a README."""

import io
import platform
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import pandas as pd
import plotly.graph_objects as go

from ballad.experiment import Experiment
from dashboard.exports.engine import NO_ENGINE, has_engine
from dashboard.exports.figure_formats.html import HTML, html_page, plotly_script
from dashboard.exports.format import FigureFormat, TableText
from dashboard.exports.look import SIZES, Look
from dashboard.exports.names import file_name, table_label
from dashboard.exports.registry import FIGURE_FORMATS, TABLE_FORMATS
from dashboard.exports.table_formats.csv import csv_table

_PACKAGES = (
    "torch",
    "open_clip_torch",
    "numpy",
    "pandas",
    "scikit-learn",
    "umap-learn",
    "openTSNE",
    "plotly",
    "streamlit",
)


@dataclass(frozen=True)
class NamedFigure:
    """A figure, what it shows in a sentence, and the table it was drawn from."""

    name: str
    title: str
    figure: go.Figure
    data: pd.DataFrame


@dataclass(frozen=True)
class NamedTable:
    """A table and what it holds in a sentence."""

    name: str
    title: str
    frame: pd.DataFrame


def export_pack(
    figures: Sequence[NamedFigure],
    tables: Sequence[NamedTable],
    experiments: Mapping[str, Experiment],
    *,
    formats: Sequence[FigureFormat] = tuple(FIGURE_FORMATS.values()),
    size: str = "two_columns",
) -> bytes:
    """A zip of all this; ``experiments`` maps a run's name to its settings, ``size`` is a key of ``SIZES``.

    Every figure comes as HTML, its script shared, and in ``formats`` beside. Without a browser engine, what is drawn
    is left out, and the README says so.
    """
    pictures = has_engine()
    written = [each for each in formats if each is not HTML and (pictures or not each.drawn)]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as pack:
        if figures:
            pack.writestr("figures/plotly.min.js", plotly_script())
        for item in figures:
            for each in written:
                path = f"figures/{file_name(item.name, extension=each.extension)}"
                pack.writestr(path, each.write(item.figure, Look(SIZES[size], title=item.title)))
            pack.writestr(
                f"figures/{file_name(item.name, extension='html')}", html_page(item.figure, script_beside=True)
            )
            pack.writestr(f"figures/{file_name(item.name, 'data', extension='csv')}", csv_table(item.data))
        for table in tables:
            text = TableText(caption=table.title, label=table_label(table.name))
            for extension, table_format in TABLE_FORMATS.items():
                path = f"tables/{file_name(table.name, extension=extension)}"
                pack.writestr(path, table_format.write(table.frame, text))
        for run, experiment in experiments.items():
            pack.writestr(f"settings/{file_name(run, extension='yaml')}", experiment.to_yaml())
        pack.writestr("versions.txt", versions())
        pack.writestr("README.md", _readme(figures, tables, experiments, size, pictures))
    return buffer.getvalue()


def versions() -> str:
    """Python, the platform and the packages that shape the numbers, one per line."""
    lines = [f"python {platform.python_version()}", f"platform {platform.platform()}"]
    for package in _PACKAGES:
        try:
            lines.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            lines.append(f"{package} is not installed")
    return "\n".join(lines) + "\n"


def _readme(
    figures: Sequence[NamedFigure],
    tables: Sequence[NamedTable],
    experiments: Mapping[str, Experiment],
    size: str,
    pictures: bool,
) -> str:
    budgets = sorted({experiment.budget for experiment in experiments.values()} - {"full"})
    lines = [
        "# Export of a BALLAD workbench",
        "",
        f"Made on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC. Accuracies are percentages; figures fit {SIZES[size].title}.",
        *(f"**Reduced budget:** {budget}." for budget in budgets),
        *([] if pictures else [NO_ENGINE]),
        "",
        *(["## Figures", "", *(_line("figures", item) for item in figures), ""] if figures else []),
        *(["## Tables", "", *(_line("tables", table) for table in tables), ""] if tables else []),
        "## Runs",
        "",
        *(f"- {run}: key `{experiment.key}`, seed {experiment.seed}" for run, experiment in experiments.items()),
        "",
        "To run one again: `python -m ballad run --config settings/NAME.yaml`.",
        "Tables in LaTeX need `\\usepackage{booktabs}`.",
    ]
    return "\n".join(lines) + "\n"


def _line(folder: str, item: NamedFigure | NamedTable) -> str:
    return f"- `{folder}/{file_name(item.name, extension='*')}`: {item.title}"
