"""Tables in the shell, and the same as JSON."""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ballad.schedules import model_title
from ballad.shot_groups import GROUPS
from ballad.wording import MISSING, number

if TYPE_CHECKING:
    import pandas as pd

WIDTH_OF_FILES = 160


def add_json(parser: argparse.ArgumentParser, what: str) -> None:
    """The option ``--json`` of a command that prints ``what``."""
    parser.add_argument("--json", action="store_true", help=f"print {what} as JSON on the last line")


def records(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """A table's rows as JSON-able values: times in ISO 8601, null for what is missing."""
    return json.loads(table.to_json(orient="records", date_format="iso"))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: int = 0) -> None:
    """Print rows; the last ``numbers`` columns are aligned to the right."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place >= len(columns) - numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(MISSING if value is None else str(value) for value in row))
    console = Console()
    # A pipe or a file has no width to fit into.
    Console(width=None if console.is_terminal else WIDTH_OF_FILES).print(table)


def print_accuracies(title: str, accuracies: Mapping[str, Mapping[str, float | None]]) -> None:
    """The table of the field: one row per model, one column per shot group, in percent."""
    rows = [
        [model_title(model), *(number(by_group[group]) for group in GROUPS)] for model, by_group in accuracies.items()
    ]
    print_table(title, ["top-1 accuracy, %", *GROUPS], rows, numbers=4)
