"""Everything from the paper that has been run, as one report: a page to read, and a zip with a LaTeX document."""

import base64
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

import pandas as pd
import plotly.graph_objects as go

from ballad import latex
from ballad.paper import published as paper
from ballad.paper.ablations import Ablation
from ballad.paper.counterparts import rivals
from ballad.paper.formats import ablation_latex, describe
from ballad.paper.presets import PRESETS, with_seeds
from ballad.store import queries
from ballad.store.run_store import RunStore
from dashboard.exports.engine import NO_ENGINE, has_engine
from dashboard.exports.figure_formats.drawn import PDF, PNG
from dashboard.exports.look import SIZES, Look
from dashboard.exports.pack import versions
from dashboard.exports.table_formats.csv import csv_table
from dashboard.figures.comparison import comparison_dots
from dashboard.figures.residual_sweep import residual_sweep
from dashboard.views.embeddings.embedding_pack import kept_views, map_figure
from dashboard.views.lambda_sweep.sweep_results import chosen_on_validation, summary_table, sweep_points, sweeps
from dashboard.views.paper.paper_results import (
    ablations,
    dots,
    published_residual_points,
    residual_points,
    result_table,
)

_EXPLAINED = "Accuracies are top-1 on the test split, in percent: mean ± standard deviation over seeds."
_STYLE = """
body { font: 15px/1.45 sans-serif; color: #1a2230; max-width: 78rem; margin: 2rem auto; padding: 0 1rem }
h2 { font-size: 1.15rem } section { break-inside: avoid; margin-bottom: 2.5rem } img { max-width: 60rem; width: 100% }
div { overflow-x: auto } table { border-collapse: collapse; font-size: 13px; border-block: 2px solid #1a2230 }
th { border-bottom: 1px solid #1a2230; vertical-align: bottom; max-width: 5rem }
th, td { padding: .15rem .5rem; text-align: right } td { white-space: nowrap }
th:first-child, td:first-child, th:last-child, td:last-child { text-align: left }
@page { size: landscape } @media print { table { font-size: 10px } }
"""


@dataclass(frozen=True)
class Part:
    """A table or figure of the paper with measured numbers: what the report says about it."""

    name: str
    title: str
    numbers: pd.DataFrame
    latex: str
    figure: go.Figure | None


def measured_figure(ablation: Ablation, table: pd.DataFrame) -> tuple[go.Figure, pd.DataFrame, str]:
    """The figure of an ablation's table, what it was drawn from, and what it shows in a few words."""
    if ablation.preset.name == "figure5":
        points = residual_points(ablation)
        published = published_residual_points(ablation, table)
        figure = residual_sweep(points, published=None if published.empty else published)
        return figure, points, "Accuracy of each shot group against λ"
    rows = dots(table)
    return comparison_dots(rows), rows, "Accuracy of each setting by shot group, own and published"


def latest_launches(launched: pd.DataFrame) -> dict[str, str]:
    """The group of each table or figure that was launched last: ids by the preset's name, in the paper's order.

    ``launched``: the rows of :func:`dashboard.views.paper.paper_results.ablations`, the latest first.
    """
    groups: dict[str, str] = {}
    for each in launched.to_dict("records"):
        groups.setdefault(each["definition"]["preset"], each["id"])
    return {name: groups[name] for name in PRESETS if name in groups}


def report_parts(store: RunStore) -> list[Part]:
    """A part for each table and figure with finished runs, of its latest launch; a λ sweep stands in for Figure 5.

    Raises RunError if a run's folder is gone.
    """
    groups = queries.groups(store)
    parts = []
    for group_id in latest_launches(ablations(groups)).values():
        ablation = Ablation.read(store, group_id)
        if ablation.finished:
            parts.append(part_of(store, ablation))
    if not any(part.name == "figure5" for part in parts):
        of_sweeps = (part_of_sweep(store, group_id) for group_id in sweeps(groups)["id"])
        parts += next(([part] for part in of_sweeps if part is not None), [])
    return parts


def report_page(parts: Sequence[Part], *, whole: bool = True) -> bytes:
    """The report as one self-contained HTML page; the ``whole`` one says what was not run yet."""
    done = {part.name for part in parts}
    missing = [preset.place for preset in PRESETS.values() if whole and preset.name not in done]
    body = "".join(map(_section, parts))
    told = "" if has_engine() else f"<p>{escape(NO_ENGINE)}</p>"
    not_run = f"<p>Not run yet: {escape(', '.join(missing))}.</p>" if missing else ""
    notes = "".join(f"<li>{escape(note)}</li>" for note in paper.tensions())
    made = f"Made on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC."
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>BALLAD, measured</title><style>{_STYLE}</style>'
        f"<h1>BALLAD, measured</h1><p>{made} {_EXPLAINED}</p>{told}{not_run}{body}"
        f"<section><h2>Before you compare with the paper</h2><ul>{notes}</ul></section>"
        f"<section><h2>Versions</h2><pre>{escape(versions())}</pre></section></html>"
    ).encode()


def report_pack(parts: Sequence[Part], *, whole: bool = True) -> bytes:
    """A zip of the page, a ``main.tex`` that sets every table and figure, the files it takes, and the numbers."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("report.html", report_page(parts, whole=whole))
        pack.writestr("main.tex", main_tex(parts, whole=whole))
        for part in parts:
            pack.writestr(f"tables/{part.name}.tex", part.latex)
            pack.writestr(f"tables/{part.name}.csv", csv_table(part.numbers))
            if part.figure is not None and has_engine():
                pack.writestr(f"figures/{part.name}.pdf", PDF.write(part.figure, _look(part)))
        pack.writestr("versions.txt", versions())
    return buffer.getvalue()


_PREAMBLE = r"""
\documentclass{article}
\usepackage[a4paper,margin=2cm]{geometry}
\usepackage{booktabs}
\usepackage{graphicx}
\makeatletter
% Captions name the paper's place themselves.
\long\def\@makecaption#1#2{#2\par\vskip\abovecaptionskip}
% Tables and figures stand where they are told, one after the other.
\newenvironment{placed}{\par\bigskip\noindent\begin{minipage}{\linewidth}}{\end{minipage}\par}
\renewenvironment{table}[1][]{\placed\footnotesize\def\@captype{table}}{\endplaced}
\renewenvironment{figure}[1][]{\placed\footnotesize\def\@captype{figure}}{\endplaced}
\makeatother
% A table that is wider than the page shrinks to its width.
\newsavebox{\wholetable}
\let\plaintabular\tabular
\let\endplaintabular\endtabular
\renewenvironment{tabular}[2][c]{\begin{lrbox}{\wholetable}\plaintabular[#1]{#2}}{\endplaintabular\end{lrbox}%
  \ifdim\wd\wholetable>\linewidth\resizebox{\linewidth}{!}{\usebox{\wholetable}}\else\usebox{\wholetable}\fi}
% Text fonts may lack outlines for the usual bullet.
\renewcommand{\labelitemi}{$\bullet$}
\title{BALLAD, measured}
\author{}
\date{\today}
\begin{document}
\maketitle
""".strip()


def main_tex(parts: Sequence[Part], *, whole: bool = True) -> str:
    """A LaTeX document of all parts; figures only where there is an engine that draws them.

    The ``whole`` one closes with what to know before comparing with the paper.
    """
    lines = [_PREAMBLE, rf"\noindent {latex.escaped(_EXPLAINED)}"]
    for part in parts:
        lines.append(rf"\input{{tables/{part.name}.tex}}")
        if part.figure is not None and has_engine():
            lines += [
                r"\begin{figure}",
                r"\centering",
                rf"\includegraphics[width=\linewidth]{{figures/{part.name}.pdf}}",
                rf"\caption{{{latex.escaped(part.title)}.}}",
                rf"\label{{fig:{part.name}}}",
                r"\end{figure}",
            ]
    if whole:
        notes = [rf"\item {latex.escaped(note)}" for note in paper.tensions()]
        lines += [r"\section*{Before you compare with the paper}", r"\begin{itemize}", *notes, r"\end{itemize}"]
    return "\n".join([*lines, r"\end{document}", ""])


def part_of(store: RunStore, ablation: Ablation) -> Part:
    """What the report says of an ablation; of Figure 6 it shows the map, where one was computed."""
    preset, table = ablation.preset, ablation.table()
    numbers = result_table(table, rivals(preset.name))
    figure = _map_of(store, ablation) if preset.name == "figure6" else None
    if figure is None and preset.name.startswith("figure"):
        figure = measured_figure(ablation, table)[0]
    return Part(preset.name, describe(ablation), numbers, ablation_latex(ablation), figure)


def _map_of(store: RunStore, ablation: Ablation) -> go.Figure | None:
    """The kept map of a joint and a decoupled run that differ in nothing else.

    Any finished runs of these experiments will do, whoever launched them.
    """
    rows = {each.key: row for row in ablation.rows for each in with_seeds(row.experiment, ablation.seeds)}
    runs = queries.runs(store)
    runs = runs[(runs["status"] == "done") & runs["key"].isin(rows)].set_index("id")
    settings = {row.setting for row in ablation.rows}
    for _, view in kept_views({run_id: f"seed {seed}" for run_id, seed in runs["seed"].items()}):
        shown = [(rows[runs.at[side.run_id, "key"]], side) for side in view.sides]
        one_seed = len({side.run_label for side in view.sides}) == 1
        if one_seed and {row.setting for row, side in shown if row.model == side.model} == settings:
            return map_figure(view)
    return None


def part_of_sweep(store: RunStore, group_id: str) -> Part | None:
    """Figure 5 from a λ sweep; None where none of its runs has finished."""
    points = sweep_points(store, store.group_ids(group_id))
    of_test = points[points["split"] == "test"]
    if of_test.empty:
        return None
    group = queries.groups(store).set_index("id").loc[group_id]
    chosen = chosen_on_validation(points)
    numbers = summary_table(of_test, chosen)
    title = f"Figure 5: the residual factor λ, from {group['name'] or group_id}"
    header = [latex.escaped(column) for column in numbers]
    rows = [[latex.escaped(str(cell)) for cell in row] for row in numbers.itertuples(index=False)]
    text = latex.table(header, rows, alignment="l" + "r" * (len(header) - 1), caption=title, label="tab:figure5")
    return Part("figure5", title, numbers, text, residual_sweep(of_test, chosen=chosen))


def _section(part: Part) -> str:
    picture = ""
    if part.figure is not None and has_engine():
        content = base64.b64encode(PNG.write(part.figure, _look(part))).decode()
        picture = f'<p><img alt="{escape(part.title)}" src="data:image/png;base64,{content}"></p>'
    # As text: a missing whole number would be written as <NA>.
    numbers = part.numbers.astype(object).where(part.numbers.notna(), "").to_html(index=False, border=0)
    return f"<section><h2>{escape(part.title)}</h2>{picture}<div>{numbers}</div></section>"


def _look(part: Part) -> Look:
    return Look(SIZES["two_columns"], title=part.title)
