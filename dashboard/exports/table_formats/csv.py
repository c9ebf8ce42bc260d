"""A table as CSV, for programs and spreadsheets."""

import re
from typing import Any

import pandas as pd

from dashboard.exports.format import TableFormat

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = r"[+−-]?\d[\d.,]*(e[+-]?\d+)?"
_SIGNED = re.compile(rf"{_NUMBER}( ± {_NUMBER})?( \[{_NUMBER}, {_NUMBER}\])?\*?")
"""``-0.3``, ``+1.2 ± 0.4``, ``-5.0 [−7.1, −2.9]*``: numbers, though they begin with a sign."""


def csv_table(frame: pd.DataFrame) -> bytes:
    """All digits, empty cells where a value is missing; opens in a spreadsheet with its Greek letters whole.

    Text that a spreadsheet would take for a formula gets an apostrophe in front, as one would type it there.
    """
    safe = frame.apply(lambda column: column if pd.api.types.is_numeric_dtype(column) else column.map(_no_formula))
    return safe.rename(columns=_no_formula).to_csv(index=False).encode("utf-8-sig")


def _no_formula(cell: Any) -> Any:
    is_formula = isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA_STARTS) and not _SIGNED.fullmatch(cell)
    return f"'{cell}" if is_formula else cell


CSV = TableFormat("csv", "CSV", "text/csv", lambda frame, text: csv_table(frame))
