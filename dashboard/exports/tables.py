"""A table as CSV, as LaTeX for a paper, and as Markdown for a note."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

_LATEX_SIGNS = {
    "±": r"$\pm$",
    "×": r"$\times$",
    "−": "$-$",
    "–": "--",
    "λ": r"$\lambda$",
    "τ": r"$\tau$",
    "ρ": r"$\rho$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "→": r"$\rightarrow$",
    "Δ": r"$\Delta$",
}


def csv_table(frame: pd.DataFrame) -> bytes:
    """All digits, empty cells where a value is missing; opens in a spreadsheet with its Greek letters whole."""
    return frame.to_csv(index=False).encode("utf-8-sig")


def latex_table(frame: pd.DataFrame, *, caption: str, label: str, digits: int = 1) -> bytes:
    """A ``table`` environment in booktabs style: numbers right, text left, a dash where a value is missing.

    Needs ``\\usepackage{booktabs}``. Everything that LaTeX would read as a command is escaped.
    """
    columns = "".join("r" if pd.api.types.is_numeric_dtype(frame[column]) else "l" for column in frame)
    header = frame.rename(columns=str)
    text = header.to_latex(
        index=False,
        escape=True,
        na_rep="–",
        float_format=f"%.{digits}f",
        column_format=columns,
        caption=_escaped(caption),
        label=label,
        position="t",
    )
    for sign, command in _LATEX_SIGNS.items():
        text = text.replace(sign, command)
    return f"% \\usepackage{{booktabs}}\n{text}".encode()


def markdown_table(frame: pd.DataFrame, *, digits: int = 1) -> bytes:
    """A pipe table: numbers right, text left, a dash where a value is missing."""
    numeric = [pd.api.types.is_numeric_dtype(frame[column]) for column in frame]
    lines = [
        _pipes(str(column) for column in frame),
        _pipes("---:" if is_number else "---" for is_number in numeric),
        *(_pipes(_cell(value, digits) for value in row) for row in frame.itertuples(index=False)),
    ]
    return ("\n".join(lines) + "\n").encode()


def _pipes(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Any, digits: int) -> str:
    if pd.isna(value):
        return "–"
    text = f"{value:.{digits}f}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")


def _escaped(text: str) -> str:
    for sign in "&%$#_{}":
        text = text.replace(sign, f"\\{sign}")
    return text
