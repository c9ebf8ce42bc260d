"""The front of rows that none beats."""

import math

from ballad.leaderboard.trade_off import pareto_front


def test_a_row_that_is_lower_in_both_is_beaten():
    assert pareto_front([(60, 20), (50, 40), (50, 30), (40, 39)]) == [True, True, False, False]


def test_equal_rows_are_on_the_front_together():
    assert pareto_front([(60, 20), (60, 20), (60, 19)]) == [True, True, False]


def test_rows_without_a_number_beat_nothing_and_are_not_on_it():
    assert pareto_front([(math.nan, 90), (50, math.nan), (40, 40)]) == [False, False, True]
