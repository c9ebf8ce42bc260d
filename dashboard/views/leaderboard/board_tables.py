"""Tables of a leaderboard: its rows for people and papers, the points of its trade-off, and what methods try."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from ballad.leaderboard.board import METRICS, Board, Gap, Row
from ballad.leaderboard.formats import chosen_points, grids, published_rows
from ballad.leaderboard.protocol import BASELINE, ENTRIES, Leaderboard
from ballad.leaderboard.recommendation import Recommendation, recommendation
from ballad.shot_groups import ALL, GROUPS
from ballad.wording import MISSING, counted, duration, mean_and_spread, number
from dashboard.addresses import below_prefix

METRIC_TITLES = {group: group.capitalize() for group in GROUPS} | {
    "balanced_error": "Balanced error",
    "ece": "Calibration error",
}
LINKS = {
    "runs": ("timeline", "The runs of this row: their curves, settings and log"),
    "confusion": ("grid_on", "Which classes the first run of this row confuses"),
    "compare": ("compare", "These runs beside those of BALLAD"),
}
"""Pages that show a row, each with its sign and what it shows."""
LOWER_IS_BETTER = ("balanced_error", "ece")
RANKS = {"all": "All", "many": "Many", "medium": "Medium", "few": "Few", "balanced_error": "Balanced error"} | {
    "ece": "Calibration error",
    "validation": "Validation",
    "none": "As listed",
}
"""What rows can be ordered by."""


@st.cache_data(max_entries=32, show_spinner="Comparing the methods …")
def _read(_board: Board, definition: dict[str, Any], runs: tuple[str, ...]) -> tuple[list[Row], Recommendation]:
    rows = _board.rows()
    return rows, recommendation(_board, rows)


def board_rows(board: Board) -> tuple[list[Row], Recommendation]:
    """The rows and what to make of them, computed once for the runs that are finished."""
    return _read(
        board, board.leaderboard.definition(), tuple(sorted(each.path.name for each in board.finished.values()))
    )


def ranked(rows: Sequence[Row], rank: str) -> list[Row]:
    """In the order of a key of :data:`RANKS`, the best first; rows without a number last."""
    if rank == "none":
        return list(rows)
    sign = 1 if rank in LOWER_IS_BETTER else -1

    def place(row: Row) -> tuple[bool, float]:
        value = (row.validation if rank == "validation" else row.measured[rank]).mean
        return math.isnan(value), sign * value

    return sorted(rows, key=place)


def board_table(board: Board, rows: Sequence[Row]) -> pd.DataFrame:
    """One line per row, the paper's published rows on this dataset below. Percent, mean ± s.d. over seeds."""
    lines = [_line(row) for row in rows]
    for each in published_rows(board.leaderboard):
        line = {"Method": f"{each['setting']}, {each['backbone']} (published)"}
        line |= {METRIC_TITLES[group]: number(each[group]) for group in GROUPS}
        lines.append(line | {METRIC_TITLES[ALL]: f"{number(each[ALL])} {each['mark']}".rstrip()})
    return pd.DataFrame(lines).fillna(MISSING)


def _line(row: Row) -> dict[str, str]:
    gap = row.against_baseline.get(ALL)
    return {
        "Method": row.title,
        **{METRIC_TITLES[name]: mean_and_spread(row.measured[name].mean, row.measured[name].sd) for name in GROUPS},
        "Above BALLAD": MISSING if gap is None else _interval(gap),
        "Validation": mean_and_spread(row.validation.mean, row.validation.sd),
        **{
            METRIC_TITLES[name]: mean_and_spread(row.measured[name].mean, row.measured[name].sd)
            for name in METRICS
            if name not in GROUPS
        },
        "Chosen on validation": chosen_points(row) or MISSING,
        "Trained": f"{row.parameters:,}",
        "Time": duration(row.seconds) if row.seconds else MISSING,
        "Seeds": str(row.seeds),
    }


def _interval(gap: Gap) -> str:
    """As Compare writes it: ``−2.1 [−3.0, −1.2] *``, with the star where the difference is more than noise."""
    star = "" if gap.is_noise else " *"
    return f"{gap.difference:+.1f} [{gap.low:+.1f}, {gap.high:+.1f}]{star}".replace("-", "−")


def row_links(rows: Sequence[Row]) -> pd.DataFrame:
    """The addresses of the pages of :data:`LINKS` that show each row."""
    baseline = next((row.runs for row in rows if row.name == BASELINE), ())
    return pd.DataFrame(
        {
            "runs": [_address("runs", run=row.runs) for row in rows],
            "confusion": [_address("confusion", run=row.runs[:1], model=(row.model,)) for row in rows],
            "compare": [
                _address("compare", run=dict.fromkeys((*row.runs, *baseline)), models=_every_model(row)) for row in rows
            ],
        }
    )


def _every_model(row: Row) -> tuple[str, ...]:
    """Compare shows the final model of a run unless it is asked for every one, as for towers without a head."""
    return () if row.name in ENTRIES else ("every",)


def _address(page: str, **query: Iterable[str]) -> str:
    words = "&".join(f"{name}={value}" for name, values in query.items() for value in values)
    return below_prefix(f"{page}?{words}")


def trade_off_points(board: Board, rows: Sequence[Row]) -> pd.DataFrame:
    """The rows as :func:`dashboard.figures.trade_off.trade_off` takes them, published ones among them."""
    own = [
        {
            "name": row.title,
            "kind": "baseline" if row.name == BASELINE else "method" if row.name in ENTRIES else "towers",
            **{name: row.measured[name].mean for name in GROUPS},
            **{f"{name}_sd": row.measured[name].sd for name in GROUPS},
            "run": row.runs[0],
        }
        for row in rows
    ]
    published = [
        {
            "name": f"{each['setting']}, {each['backbone']} (published)",
            "kind": "published",
            **{name: each[name] for name in GROUPS},
            **{f"{name}_sd": math.nan for name in GROUPS},
            "run": "",
        }
        for each in published_rows(board.leaderboard)
    ]
    return pd.DataFrame([*own, *published])


def method_table(leaderboard: Leaderboard) -> pd.DataFrame:
    """What each method computes, where it was published, and what its search tries."""
    tried = [
        f"{values} ({counted(points, 'point')})" if points > 1 else values for _, points, values in grids(leaderboard)
    ]
    return pd.DataFrame(
        {
            "Method": [entry.title(leaderboard.towers) for entry in leaderboard.entries],
            "Tried on validation": tried,
            "Formula": [entry.formula for entry in leaderboard.entries],
            "Paper": [entry.paper or MISSING for entry in leaderboard.entries],
        }
    )


def unfinished(board: Board) -> Mapping[str, int]:
    """The title of each method that lacks runs, and how many are still to come."""
    lacking = {
        entry.title(board.leaderboard.towers): sum(
            each.key not in board.finished for each in board.leaderboard.experiments(entry)
        )
        for entry in board.leaderboard.entries
    }
    return {title: runs for title, runs in lacking.items() if runs}
