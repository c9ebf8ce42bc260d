import math

import pytest

from ballad.analysis.divergence import has_diverged

CHANCE_LOSS = math.log(4)


@pytest.mark.parametrize(
    ("loss", "accuracy", "expected"),
    [
        (CHANCE_LOSS + 0.1, 25.0, True),
        (CHANCE_LOSS, 25.0, True),  # collapsed: all classes are equally probable
        (CHANCE_LOSS - 0.1, 25.0, False),  # it has learned something, only not for these images
        (CHANCE_LOSS + 0.1, 60.0, False),  # over-confident, but no worse for it
        (CHANCE_LOSS + 0.1, 29.3, True),  # 25 % and a standard error, sqrt(0.25 · 0.75 / 100) = 4.3 points
        (CHANCE_LOSS + 0.1, 29.4, False),
        (CHANCE_LOSS + 0.1, 0.0, True),
    ],
)
def test_a_loss_above_that_of_guessing_and_the_accuracy_of_guessing(loss, accuracy, expected):
    assert has_diverged(loss, accuracy, classes=4, images=100) is expected


def test_a_loss_of_two_terms_has_twice_the_bound():
    assert not has_diverged(1.9 * CHANCE_LOSS, 25.0, classes=4, images=100, terms=2)
    assert has_diverged(2.1 * CHANCE_LOSS, 25.0, classes=4, images=100, terms=2)
