"""A leaderboard for others: as JSON records for programs, as LaTeX in the layout of the paper's Table 1."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ballad import latex
from ballad.experiment import short_names
from ballad.leaderboard.board import METRICS, Board, Row
from ballad.leaderboard.protocol import TOWER_TITLES, VARY_TITLES, Leaderboard
from ballad.paper.counterparts import published_dataset
from ballad.paper.presets import BALLAD, backbone_title
from ballad.paper.published import AS_PRINTED, published
from ballad.shot_groups import ALL, GROUPS, SHOT_GROUPS
from ballad.wording import counted, mean_and_spread, number


def describe(board: Board) -> str:
    """``Leaderboard on CIFAR100-LT, RN50, untouched towers, 3 seeds (head seeds on one set of towers)``."""
    of = board.leaderboard
    where = f"{board.dataset_title}, {backbone_title(of.base.backbone.name)}, {TOWER_TITLES[of.towers]}"
    budget = "" if of.base.budget == "full" else f", budget {of.base.budget}"
    return f"Leaderboard on {where}{budget}, {counted(of.seeds, 'seed')} ({VARY_TITLES[of.vary]})"


def published_rows(leaderboard: Leaderboard) -> list[dict[str, Any]]:
    """All rows that Tables 1–3 publish on this dataset, with the backbone of each; none for other datasets.

    Columns of :func:`ballad.paper.published.published`; NaN where the paper prints no number.
    """
    rows = published()
    of_dataset = rows["table"].isin(BALLAD.places) & (rows["dataset"] == published_dataset(leaderboard.base.dataset))
    return rows[of_dataset].to_dict("records")  # type: ignore[return-value]


def grids(leaderboard: Leaderboard) -> list[tuple[str, int, str]]:
    """The title of each entry, the number of points that it tries, and the values of each setting."""
    found = []
    for entry in leaderboard.entries:
        grid = entry.grid if leaderboard.searched else {}
        values = "; ".join(f"{name} {', '.join(f'{each:g}' for each in tried)}" for name, tried in grid.items())
        points = math.prod(len(tried) for tried in grid.values())
        found.append((entry.title(leaderboard.towers), points, values or "none: its defaults"))
    return found


def chosen_points(row: Row) -> str:
    """What each seed chose on validation, ``tau 0.5, 1, 0.5``."""
    names = list(row.chosen[0]) if row.chosen else []
    shown = short_names(names)
    return "; ".join(f"{shown[name]} {', '.join(_short(point[name]) for point in row.chosen)}" for name in names)


def record(row: Row) -> dict[str, Any]:
    """A row in plain values; None where there is no number."""
    return {
        "name": row.name,
        "title": row.title,
        "model": row.model,
        "runs": list(row.runs),
        "seeds": row.seeds,
        **{
            metric: {"mean": _or_none(row.measured[metric].mean), "sd": _or_none(row.measured[metric].sd)}
            for metric in METRICS
        },
        "validation": {"mean": _or_none(row.validation.mean), "sd": _or_none(row.validation.sd)},
        "parameters": row.parameters,
        "seconds": _or_none(row.seconds),
        "chosen": [dict(point) for point in row.chosen],
        "against_baseline": {
            group: {name: _or_none(getattr(gap, name)) for name in ("difference", "low", "high")}
            for group, gap in row.against_baseline.items()
        },
    }


def published_record(row: Mapping[str, Any]) -> dict[str, Any]:
    """One of :func:`published_rows` in plain values; None where the paper prints no number."""
    return {
        **{name: row[name] for name in ("setting", "backbone")},
        **{group: _or_none(row[group]) for group in GROUPS},
    }


def leaderboard_latex(board: Board, rows: Sequence[Row]) -> str:
    """The rows as the paper's Table 1 lays them out, published ones below a rule; needs ``booktabs``.

    In each column, the best of the measured rows and what the test images cannot tell from it are bold.
    """
    bold = {group: _not_told_from_best(board, rows, group) for group in GROUPS}
    backbone = latex.escaped(backbone_title(board.leaderboard.base.backbone.name))
    own = [
        [latex.escaped(row.title), backbone, *(_cell(row, group, bold=row.name in bold[group]) for group in GROUPS)]
        for row in rows
    ]
    printed = published_rows(board.leaderboard)
    theirs = [
        [
            *(latex.escaped(words) for words in (f"{each['setting']} (published)", each["backbone"])),
            *(latex.escaped(number(each[group])) for group in SHOT_GROUPS),
            latex.escaped(f"{number(each[ALL])} {each['mark']}".rstrip()),
        ]
        for each in printed
    ]
    caption = (
        f"{describe(board)}. Top-1 test accuracy in %, mean and s.d. over seeds. Bold: the best and what cannot be "
        "told from it (paired bootstrap over test images, 95 %)."
    )
    if any(each["mark"] for each in printed):
        caption += f" {AS_PRINTED}"
    header = ["Method", "Backbone", *(group.capitalize() for group in GROUPS)]
    return latex.table(header, own, theirs, alignment="llrrrr", caption=caption, label="tab:leaderboard")


def _not_told_from_best(board: Board, rows: Sequence[Row], group: str) -> set[str]:
    """The names of the row with the largest mean in a group and of those like it; none if no row has a number."""
    known = [row for row in rows if not math.isnan(row.measured[group].mean)]
    if not known:
        return set()
    best = max(known, key=lambda row: row.measured[group].mean)
    gaps = board.gaps(best, known)
    return {row.name for row in known if gaps[row.name][group].is_noise}


def _cell(row: Row, group: str, *, bold: bool) -> str:
    text = latex.escaped(mean_and_spread(row.measured[group].mean, row.measured[group].sd))
    return rf"\textbf{{{text}}}" if bold else text


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
