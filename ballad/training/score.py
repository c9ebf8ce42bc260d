"""How training judges its epochs: the one thing for which both phases need the validation split."""

from collections.abc import Callable

import numpy as np

Score = Callable[[np.ndarray], dict[str, float | None]]
"""Predicted classes ``[N]`` of the validation split to accuracies in percent."""
