"""Everything of a selection in one zip: figures, their data, tables, settings, versions, and a README."""

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
from dashboard.exports.figures import FORMATS, SIZES, Format, html_page, picture, plotly_script
from dashboard.exports.names import file_name
from dashboard.exports.tables import csv_table, latex_table, markdown_table

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
    formats: Sequence[Format] = FORMATS,
    size: str = "two_columns",
) -> bytes:
    """A zip of all this; ``experiments`` maps a run's name to its settings, ``size`` is a key of ``SIZES``.

    Without a browser engine the pictures are left out, and the README says so.
    """
    pictures = has_engine()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as pack:
        if figures:
            pack.writestr("figures/plotly.min.js", plotly_script())
        for item in figures:
            for file_format in formats if pictures else ():
                path = f"figures/{file_name(item.name, extension=file_format)}"
                pack.writestr(path, picture(item.figure, file_format, SIZES[size]))
            pack.writestr(
                f"figures/{file_name(item.name, extension='html')}", html_page(item.figure, script_beside=True)
            )
            pack.writestr(f"figures/{file_name(item.name, 'data', extension='csv')}", csv_table(item.data))
        for table in tables:
            label = f"tab:{file_name(table.name, extension='x').removesuffix('.x')}"
            pack.writestr(f"tables/{file_name(table.name, extension='csv')}", csv_table(table.frame))
            latex = latex_table(table.frame, caption=table.title, label=label)
            pack.writestr(f"tables/{file_name(table.name, extension='tex')}", latex)
            pack.writestr(f"tables/{file_name(table.name, extension='md')}", markdown_table(table.frame))
        for run, experiment in experiments.items():
            pack.writestr(f"settings/{file_name(run, extension='yaml')}", experiment.to_yaml())
        pack.writestr("versions.txt", versions())
        pack.writestr("README.md", _readme(figures, tables, experiments, size, pictures))
    return buffer.getvalue()


def versions() -> str:
    """Python, the platform and the packages that shape the numbers, one a line."""
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
        "Run one again: `python -m ballad run --config settings/NAME.yaml`.",
        "Tables in LaTeX need `\\usepackage{booktabs}`.",
    ]
    return "\n".join(lines) + "\n"


def _line(folder: str, item: NamedFigure | NamedTable) -> str:
    return f"- `{folder}/{file_name(item.name, extension='*')}`: {item.title}"
