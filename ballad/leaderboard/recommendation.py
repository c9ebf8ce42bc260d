"""What to make of a leaderboard, in words."""

from collections.abc import Mapping, Sequence

from ballad.leaderboard.board import Board, Gap, Row
from ballad.shot_groups import ALL, SHOT_GROUPS

_INTERVAL = (
    "The intervals speak of other test images, not of other seeds or sets, and not of having picked the best of "
)


def best_of(rows: Sequence[Row]) -> Row | None:
    """The row that is right on most test images; the first of equals, None without rows."""
    known = [row for row in rows if row.measured[ALL].mean == row.measured[ALL].mean]
    return max(known, key=lambda row: row.measured[ALL].mean, default=None)


def recommendation(board: Board, rows: Sequence[Row]) -> str:
    """:func:`recommend` for the rows of a board."""
    best = best_of(rows)
    others = [row for row in rows if row is not best]
    return recommend(rows, board.gaps(best, others) if best is not None else {})


def recommend(rows: Sequence[Row], gaps: Mapping[str, Mapping[str, Gap]]) -> str:
    """Which row to choose, why, and how sure that is.

    gaps : how far each other row is above :func:`best_of` the rows, by its name and by shot group.
    """
    best = best_of(rows)
    if best is None:
        return "There is nothing to recommend yet: no run has finished."
    others = sorted((row for row in rows if row is not best), key=lambda row: -gaps[row.name][ALL].difference)
    if not others:
        return f"Only {best.title} has finished, so there is nothing to compare it with."
    ties = [row for row in others if gaps[row.name][ALL].is_noise]
    said = [_cannot_be_told_apart(best, row, gaps[row.name]) for row in ties]
    if not ties:
        runner_up = others[0]
        gap = gaps[runner_up.name][ALL]
        said.append(
            f"On this set, {best.title} is the best on all classes: {best.measured[ALL].mean:.1f} %, "
            f"{-gap.difference:.1f} points above {runner_up.title} "
            f"(95 % interval {_signed(-gap.high)} to {_signed(-gap.low)})."
        )
    said.append(f"{_INTERVAL}{len(rows)}.")
    if best.seeds == 1:
        said.append(f"{best.title} has run once, so its spread over seeds is not known.")
    return " ".join(said)


def _cannot_be_told_apart(best: Row, other: Row, gaps: Mapping[str, Gap]) -> str:
    gap = gaps[ALL]
    sentence = (
        f"On this set, {best.title} and {other.title} cannot be told apart on all classes (difference "
        f"{abs(gap.difference):.1f} points, 95 % interval {_signed(-gap.high)} to {_signed(-gap.low)})"
    )
    told = [group for group in SHOT_GROUPS if gaps[group].difference == gaps[group].difference]
    apart = [group for group in told if not gaps[group].is_noise]
    effects = [
        f"{other.title} {'costs' if gaps[group].difference < 0 else 'gains'} "
        f"{abs(gaps[group].difference):.1f} points on {group}-shot classes"
        for group in apart
    ]
    return f"{sentence}; {', and '.join(effects)}." if effects else f"{sentence}, nor on any shot group."


def _signed(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")
