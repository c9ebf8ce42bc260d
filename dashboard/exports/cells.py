"""The cells of a table as the text they show."""

from typing import Any

import pandas as pd

from ballad.wording import MISSING
from dashboard.exports.format import Digits

_NUMBER = r"[+−-]?\d.*|–"


def holds_numbers(column: pd.Series) -> bool:
    """Whether its cells are numbers, or texts such as ``67.2 ± 0.3``."""
    return pd.api.types.is_numeric_dtype(column) or column.dropna().astype(str).str.fullmatch(_NUMBER).all()


def written(frame: pd.DataFrame, digits: Digits) -> pd.DataFrame:
    """Every cell as its text."""

    def cell(value: Any, decimals: int) -> str:
        if pd.isna(value):
            return MISSING
        return f"{value:.{decimals}f}" if isinstance(value, float) else str(value)

    def decimals(column: str) -> int:
        return digits if isinstance(digits, int) else digits.get(column, 1)

    return pd.DataFrame({str(name): [cell(value, decimals(name)) for value in frame[name]] for name in frame})
