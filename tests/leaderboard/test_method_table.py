"""The documentation's table of methods is that of the registry."""

from pathlib import Path

from ballad.heads import HEADS
from ballad.leaderboard.method_table import method_table

DOCUMENT = Path(__file__).parents[2] / "docs" / "methods.md"


def test_the_documented_table_is_current():
    assert method_table() in DOCUMENT.read_text(encoding="utf-8"), (
        "Replace the table in docs/methods.md by what ballad.leaderboard.method_table.method_table() returns."
    )


def test_every_cell_is_one():
    lines = method_table().splitlines()
    assert len(lines) == 2 + len(HEADS)
    assert {line.replace(r"\|", "").count("|") for line in lines} == {7}
