"""A table as Markdown, for a note."""

from collections.abc import Iterable

import pandas as pd

from dashboard.exports.cells import holds_numbers, written
from dashboard.exports.format import TableFormat, TableText


def markdown_table(frame: pd.DataFrame, text: TableText) -> bytes:
    """A pipe table: numbers right, text left, a dash where a value is missing."""
    lines = [
        _pipes(str(column) for column in frame),
        _pipes("---:" if holds_numbers(frame[column]) else "---" for column in frame),
        *(_pipes(map(_in_a_pipe, row)) for row in written(frame, text.digits).itertuples(index=False)),
    ]
    return ("\n".join(lines) + "\n").encode()


def _pipes(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _in_a_pipe(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


MARKDOWN = TableFormat("md", "Markdown", "text/markdown", markdown_table)
