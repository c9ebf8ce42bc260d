"""Tables in the shell."""

from collections.abc import Iterable, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ballad.schedules import model_title
from ballad.shot_groups import GROUPS
from ballad.wording import MISSING, number

WIDTH_OF_FILES = 160


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
