"""All methods in one table, as the documentation prints it."""

from collections.abc import Mapping

from ballad.heads import HEADS
from ballad.heads.head import Head

COLUMNS = ("Method", "`phase_b.method`", "Formula", "Paper", "Defaults", "Tried on validation")


def method_table() -> str:
    """A Markdown table with one row per method, in the registry's order."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *(_cells(head) for head in HEADS.values())]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cells(head: type[Head]) -> tuple[str, ...]:
    rate = {"learning_rate": head.learning_rate} if head.learns else {}
    defaults = {**head.Options().model_dump(mode="json"), **rate}
    grid = {name: ", ".join(f"{value:g}" for value in values) for name, values in head.grid.items()}
    formula = head.formula.replace("|", r"\|")
    return head.shown_title(), f"`{head.name}`", formula, head.paper or "–", _listed(defaults), _listed(grid)


def _listed(values: Mapping[str, object]) -> str:
    return "; ".join(f"{name} {value}" for name, value in values.items()) or "–"
