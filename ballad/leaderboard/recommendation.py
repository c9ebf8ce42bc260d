"""What to make of a leaderboard, in words: chosen on validation, told in test figures with their uncertainty."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ballad.leaderboard.board import Board, Gap, Row
from ballad.shot_groups import ALL, SHOT_GROUPS
from ballad.wording import counted, mean_and_spread

_INTERVALS = "Intervals (95 %) cover other test images, not other seeds or datasets."


@dataclass(frozen=True)
class Recommendation:
    """verdict : which row to choose and why. alike : a sentence for each row that test images cannot tell from it.

    limits : what the numbers do not say. ``str`` is all of it in one paragraph.
    """

    verdict: str
    alike: tuple[str, ...] = ()
    limits: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, [self.verdict, *self.alike, self.limits]))


def recommendation(board: Board, rows: Sequence[Row]) -> Recommendation:
    """:func:`recommend` for the rows of a board."""
    best = chosen_of(rows)
    others = [row for row in rows if row is not best]
    return recommend(rows, board.gaps(best, others) if best is not None else {})


def chosen_of(rows: Sequence[Row]) -> Row | None:
    """The row that is right on most validation images; the first of equals, None without rows.

    Where not all rows have been seen on validation, the one that is right on most test images.
    """
    if all(_is_known(row.validation.mean) for row in rows):
        return max(rows, key=lambda row: row.validation.mean, default=None)
    known = [row for row in rows if _is_known(row.measured[ALL].mean)]
    return max(known, key=lambda row: row.measured[ALL].mean, default=None)


def recommend(rows: Sequence[Row], gaps: Mapping[str, Mapping[str, Gap]]) -> Recommendation:
    """Which row to choose, why, and how certain that is.

    gaps : how far each other row is above :func:`chosen_of` the rows on test, by its name and by shot group.
    """
    best = chosen_of(rows)
    if best is None:
        return Recommendation("There is nothing to recommend yet: no run has finished.")
    others = sorted((row for row in rows if row is not best), key=lambda row: -gaps[row.name][ALL].difference)
    if not others:
        return Recommendation(f"Only {best.title} has finished, so there is nothing to compare it with.")
    alike = [row for row in others if gaps[row.name][ALL].is_noise]
    above = [row for row in others if gaps[row.name][ALL].low > 0]
    verdict = " ".join(filter(None, [_choice(best, len(rows)), _standing(others, alike, above, gaps)]))
    alone = f"{best.title} has run once, so its spread over seeds is not known." if best.seeds == 1 else ""
    return Recommendation(
        verdict, tuple(_alike(row, gaps[row.name]) for row in alike), " ".join(filter(None, [_INTERVALS, alone]))
    )


def _choice(best: Row, rows: int) -> str:
    on_test = mean_and_spread(best.measured[ALL].mean, best.measured[ALL].sd)
    if _is_known(best.validation.mean):
        on_validation = mean_and_spread(best.validation.mean, best.validation.sd)
        return f"{best.title} is the best on validation ({on_validation} %); on test it reaches {on_test} %."
    return (
        f"Without a validation split, nothing but test images can rank these {rows} rows, and picking the best of them "
        f"flatters it. It is {best.title}, with {on_test} %."
    )


def _standing(
    others: Sequence[Row], alike: Sequence[Row], above: Sequence[Row], gaps: Mapping[str, Mapping[str, Gap]]
) -> str:
    """Where the choice stands among the others on test: who is clearly above it, and who cannot be told from it."""
    said = []
    if above:
        named = _listed([f"{row.title} ({_points(gaps[row.name][ALL])})" for row in above])
        said.append(f"Clearly above it on test: {named}; to choose by that would be to choose on test.")
    if alike:
        said.append(f"{counted(len(alike), 'row')} cannot be told from it on all test images:")
    elif not above:
        gap = gaps[others[0].name][ALL]
        lead = f"{-gap.difference:.1f} points (95 % interval {_signed(-gap.high)} to {_signed(-gap.low)})"
        said.append(f"It leads {others[0].title} by {lead}{', and all others by more' if len(others) > 1 else ''}.")
    return " ".join(said)


def _alike(row: Row, gaps: Mapping[str, Gap]) -> str:
    """``LWS, −0.3 points, 95 % interval −1.0 to 0.4; costs 4.1 points on many-shot classes.``"""
    told = [group for group in SHOT_GROUPS if _is_known(gaps[group].difference) and not gaps[group].is_noise]
    effects = _listed(
        [
            f"{'costs' if gaps[group].difference < 0 else 'gains'} {abs(gaps[group].difference):.1f} points on "
            f"{group}-shot classes"
            for group in told
        ]
    )
    return f"{row.title}, {_points(gaps[ALL])}; {effects or 'no shot group tells them apart either'}."


def _points(gap: Gap) -> str:
    sign = "+" if gap.difference > 0 else ""
    return f"{sign}{_signed(gap.difference)} points, 95 % interval {_signed(gap.low)} to {_signed(gap.high)}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _signed(value: float) -> str:
    # Adding zero turns the minus zero of a rounded small number into zero.
    return f"{round(value, 1) + 0.0:.1f}".replace("-", "−")


def _is_known(value: float) -> bool:
    return not math.isnan(value)
