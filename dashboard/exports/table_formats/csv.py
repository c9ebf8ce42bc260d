"""A table as CSV, for programs and spreadsheets."""

import pandas as pd

from dashboard.exports.format import TableFormat


def csv_table(frame: pd.DataFrame) -> bytes:
    """All digits, empty cells where a value is missing; opens in a spreadsheet with its Greek letters whole."""
    return frame.to_csv(index=False).encode("utf-8-sig")


CSV = TableFormat("csv", "CSV", "text/csv", lambda frame, text: csv_table(frame))
