"""What is recommended, each branch worked out by hand."""

import math

from ballad.leaderboard.board import METRICS, Gap, Row, Spread
from ballad.leaderboard.recommendation import recommend

NAN = math.nan


def row(name: str, accuracy: float, seeds: int = 3) -> Row:
    runs = tuple(f"run{seed}" for seed in range(seeds))
    measured = dict.fromkeys(METRICS, Spread(accuracy, 0.1))
    return Row(name, name.upper(), name, runs, measured, 0, 0.0, (), {})


def gaps(**of_groups: tuple[float, float, float]) -> dict[str, Gap]:
    noise = (0.0, -1.0, 1.0)
    return {group: Gap(*of_groups.get(group, noise)) for group in ("many", "medium", "few", "all")}


def test_nothing_finished():
    assert recommend([], {}) == "There is nothing to recommend yet: no run has finished."


def test_one_row():
    assert recommend([row("a", 60.0)], {}).startswith("Only A has finished")


def test_a_winner_is_named_with_its_lead_over_the_runner_up():
    said = recommend(
        [row("b", 57.0), row("a", 60.0), row("c", 58.0)],
        {"b": gaps(all=(-3.0, -4.0, -2.0)), "c": gaps(all=(-2.0, -3.5, -0.5))},
    )
    assert said.startswith(
        "On this set, A is the best on all classes: 60.0 %, 2.0 points above C (95 % interval 0.5 to 3.5)."
    )
    assert "cannot be told apart" not in said and "the best of 3." in said


def test_ties_say_what_each_costs_and_gains():
    said = recommend(
        [row("a", 60.0), row("b", 59.7)],
        {"b": gaps(all=(-0.3, -1.0, 0.4), many=(-4.1, -6.0, -2.0), few=(2.0, 0.5, 3.5))},
    )
    assert said.startswith(
        "On this set, A and B cannot be told apart on all classes (difference 0.3 points, 95 % interval −0.4 to 1.0); "
        "B costs 4.1 points on many-shot classes, and B gains 2.0 points on few-shot classes."
    )


def test_ties_that_differ_nowhere_and_empty_groups():
    said = recommend([row("a", 60.0), row("b", 59.7)], {"b": gaps(all=(-0.3, -1.0, 0.4), few=(NAN, NAN, NAN))})
    assert "(difference 0.3 points, 95 % interval −0.4 to 1.0), nor on any shot group." in said


def test_a_row_that_is_clearly_worse_is_no_tie():
    said = recommend(
        [row("a", 60.0), row("b", 59.7), row("c", 40.0)],
        {"b": gaps(all=(-0.3, -1.0, 0.4)), "c": gaps(all=(-20.0, -22.0, -18.0))},
    )
    assert "A and B" in said and "C" not in said.replace("cannot", "").split("The intervals")[0]


def test_one_seed_has_no_spread():
    said = recommend([row("a", 60.0, seeds=1), row("b", 50.0)], {"b": gaps(all=(-10.0, -12.0, -8.0))})
    assert said.endswith("A has run once, so its spread over seeds is not known.")
