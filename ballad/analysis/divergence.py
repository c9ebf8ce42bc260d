"""Tells from its loss and accuracy a training that diverged although every number stayed finite."""

import math

SHARE_OF_LOSS = 0.99
"""A model that collapsed gives all classes the same probability but for rounding."""


def has_diverged(loss: float, accuracy: float, *, classes: int, images: int, terms: int = 1) -> bool:
    """Whether a model is no better than guessing, by its loss and by its accuracy.

    loss: mean of the last epoch, to compare with ln K for each of its ``terms``. accuracy: percent of ``images`` test
    images; guessing is right for 1 / K of them, give or take a standard error.
    """
    chance = 1 / classes
    standard_error = math.sqrt(chance * (1 - chance) / images)
    return loss >= SHARE_OF_LOSS * terms * math.log(classes) and accuracy / 100 <= chance + standard_error
