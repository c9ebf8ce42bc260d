"""A table as LaTeX, for a paper."""

import pandas as pd

from ballad import latex
from dashboard.exports.cells import holds_numbers, written
from dashboard.exports.format import TableFormat, TableText


def latex_table(frame: pd.DataFrame, text: TableText) -> bytes:
    """A ``table`` environment in booktabs style: numbers right, text left, a dash where a value is missing."""
    cells = written(frame, text.digits)
    table = latex.table(
        [latex.escaped(column) for column in cells],
        [[latex.escaped(cell) for cell in row] for row in cells.itertuples(index=False)],
        alignment="".join("r" if holds_numbers(frame[column]) else "l" for column in frame),
        caption=text.caption,
        label=text.label,
    )
    return table.encode()


LATEX = TableFormat("tex", "LaTeX", "text/x-tex", latex_table)
