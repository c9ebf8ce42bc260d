"""A table as CSV, as LaTeX for a paper, and as Markdown for a note."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

Digits = int | Mapping[str, int]
"""Decimals of all numbers, or of each column's; 1 for a column that is not named."""

_NUMBER = r"[+−-]?\d.*|–"
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
    "·": r"$\cdot$",
}


def csv_table(frame: pd.DataFrame) -> bytes:
    """All digits, empty cells where a value is missing; opens in a spreadsheet with its Greek letters whole."""
    return frame.to_csv(index=False).encode("utf-8-sig")


def latex_table(frame: pd.DataFrame, *, caption: str, label: str, digits: Digits = 1) -> bytes:
    """A ``table`` environment in booktabs style: numbers right, text left, a dash where a value is missing.

    Needs ``\\usepackage{booktabs}``. Everything that LaTeX would read as a command is escaped.
    """
    text = _written(frame, digits).to_latex(
        index=False,
        escape=True,
        column_format="".join("r" if _holds_numbers(frame[column]) else "l" for column in frame),
        caption=_escaped(caption),
        label=label,
        position="t",
    )
    for sign, command in _LATEX_SIGNS.items():
        text = text.replace(sign, command)
    text = text.replace("\\begin{table}[t]\n", "\\begin{table}[t]\n\\centering\n")
    return f"% \\usepackage{{booktabs}}\n{text}".encode()


def markdown_table(frame: pd.DataFrame, *, digits: Digits = 1) -> bytes:
    """A pipe table: numbers right, text left, a dash where a value is missing."""
    lines = [
        _pipes(str(column) for column in frame),
        _pipes("---:" if _holds_numbers(frame[column]) else "---" for column in frame),
        *(_pipes(map(_in_a_pipe, row)) for row in _written(frame, digits).itertuples(index=False)),
    ]
    return ("\n".join(lines) + "\n").encode()


def _holds_numbers(column: pd.Series) -> bool:
    """Whether its cells are numbers, or texts such as ``67.2 ± 0.3``."""
    return pd.api.types.is_numeric_dtype(column) or column.dropna().astype(str).str.fullmatch(_NUMBER).all()


def _written(frame: pd.DataFrame, digits: Digits) -> pd.DataFrame:
    """Every cell as its text."""

    def cell(value: Any, decimals: int) -> str:
        if pd.isna(value):
            return "–"
        return f"{value:.{decimals}f}" if isinstance(value, float) else str(value)

    def decimals(column: str) -> int:
        return digits if isinstance(digits, int) else digits.get(column, 1)

    return pd.DataFrame({str(name): [cell(value, decimals(name)) for value in frame[name]] for name in frame})


def _pipes(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _in_a_pipe(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _escaped(text: str) -> str:
    for sign in "&%$#_{}":
        text = text.replace(sign, f"\\{sign}")
    return text
