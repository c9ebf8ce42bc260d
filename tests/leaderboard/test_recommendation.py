"""What is recommended, each branch worked out by hand."""

import math

from ballad.leaderboard.board import METRICS, Gap, Row, Spread
from ballad.leaderboard.recommendation import recommend

NAN = math.nan


def row(name: str, accuracy: float, *, validation: float = NAN, seeds: int = 3) -> Row:
    runs = tuple(f"run{seed}" for seed in range(seeds))
    measured = dict.fromkeys(METRICS, Spread(accuracy, 0.1))
    return Row(name, name.upper(), name, runs, measured, Spread(validation, 0.2), 0, 0.0, (), {})


def gaps(**of_groups: tuple[float, float, float]) -> dict[str, Gap]:
    noise = (0.0, -1.0, 1.0)
    return {group: Gap(*of_groups.get(group, noise)) for group in ("many", "medium", "few", "all")}


def test_nothing_finished():
    assert str(recommend([], {})) == "There is nothing to recommend yet: no run has finished."


def test_one_row():
    assert str(recommend([row("a", 60.0)], {})).startswith("Only A has finished")


def test_the_choice_is_made_on_validation_and_told_in_test_figures():
    said = recommend(
        [row("a", 58.0, validation=61.0), row("b", 59.0, validation=60.0)], {"b": gaps(all=(1.0, 0.2, 1.8))}
    )
    assert said.verdict == (
        "A is the best on validation (61.0 ± 0.2 %); on test it reaches 58.0 ± 0.1 %. Clearly above it on test: "
        "B (+1.0 points, 95 % interval 0.2 to 1.8); to choose by that would be to choose on test."
    )


def test_without_validation_the_best_on_test_is_called_flattered():
    said = recommend(
        [row("b", 57.0), row("a", 60.0), row("c", 58.0)],
        {"b": gaps(all=(-3.0, -4.0, -2.0)), "c": gaps(all=(-2.0, -3.5, -0.5))},
    )
    assert said.verdict == (
        "Without a validation split, nothing but test images can rank these 3 rows, and picking the best of them "
        "flatters it. It is A, with 60.0 ± 0.1 %. It leads C by 2.0 points (95 % interval 0.5 to 3.5), and all others "
        "by more."
    )
    assert said.alike == ()


def test_each_row_that_cannot_be_told_apart_is_named_once_with_what_it_costs_and_gains():
    said = recommend(
        [row("a", 60.0, validation=61.0), row("b", 59.7, validation=60.0)],
        {"b": gaps(all=(-0.3, -1.0, 0.4), many=(-4.1, -6.0, -2.0), few=(2.0, 0.5, 3.5))},
    )
    assert said.verdict.endswith("1 row cannot be told from it on all test images:")
    assert said.alike == (
        "B, −0.3 points, 95 % interval −1.0 to 0.4; costs 4.1 points on many-shot classes and gains 2.0 points on "
        "few-shot classes.",
    )


def test_ties_that_differ_nowhere_and_empty_groups():
    said = recommend(
        [row("a", 60.0, validation=61.0), row("b", 59.7, validation=60.0)],
        {"b": gaps(all=(-0.02, -1.0, 0.4), few=(NAN, NAN, NAN))},
    )
    assert said.alike == ("B, 0.0 points, 95 % interval −1.0 to 0.4; no shot group tells them apart either.",)


def test_a_row_that_is_clearly_worse_is_not_spoken_of():
    said = recommend(
        [row("a", 60.0, validation=61.0), row("b", 59.7, validation=60.0), row("c", 40.0, validation=40.0)],
        {"b": gaps(all=(-0.3, -1.0, 0.4)), "c": gaps(all=(-20.0, -22.0, -18.0))},
    )
    assert [sentence[0] for sentence in said.alike] == ["B"] and "C " not in said.verdict


def test_one_seed_has_no_spread():
    said = recommend([row("a", 60.0, seeds=1), row("b", 50.0)], {"b": gaps(all=(-10.0, -12.0, -8.0))})
    assert str(said).endswith("A has run once, so its spread over seeds is not known.")
