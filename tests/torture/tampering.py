"""Files of a home that something changed: what is computed next is right, or refused with a sentence."""

import random
import shutil
from collections import Counter
from pathlib import Path

import pandas as pd

from ballad import api
from ballad.errors import BalladError
from ballad.experiment import Experiment

CHANGES = ("flip", "cut", "append", "remove", "empty")


def tamper(home: Path, folder: Path, experiment: Experiment, expected: pd.DataFrame, changes: int) -> Counter[str]:
    """Change a byte of a copy of ``home``, then run ``experiment``; a number of times. Returns how they ended.

    ``expected``: its accuracies in a home of its own.
    """
    chance, figures = random.Random(0), Counter[str]()
    names = sorted(
        str(path.relative_to(home))
        for room in ("stages", "runs")
        for path in (home / room).rglob("*")
        if path.is_file() and path.suffix != ".lock"
    )
    for number in range(changes):
        copy = folder / str(number)
        shutil.copytree(home, copy)
        name, how = names[number % len(names)], chance.choice(CHANGES)
        _change(copy / name, how, chance)
        try:
            found = api.run(experiment, home=copy).accuracies
        except BalladError as error:
            assert "Traceback" not in str(error) and "unexpected" not in str(error).lower(), f"{how} {name}: {error}"
            figures["refused"] += 1
        else:
            assert _numbers(found) == _numbers(expected), f"{how} {name} gives other numbers without a word"
            figures["right"] += 1
        shutil.rmtree(copy)
    return figures


def _numbers(accuracies: pd.DataFrame) -> list[tuple]:
    rows = accuracies.drop(columns="run_id").fillna(-1.0).itertuples(index=False)
    return sorted(tuple(row) for row in rows)


def _change(path: Path, how: str, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    place = chance.randrange(len(content) or 1)
    match how:
        case "flip" if content:
            content[place] ^= 1 << chance.randrange(8)
        case "cut":
            del content[place:]
        case "append":
            content += b"\0"
        case "empty":
            content.clear()
        case "remove":
            path.unlink()
            return
    path.write_bytes(content)
