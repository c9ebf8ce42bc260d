"""The learning rate over time, and the seeds of everything drawn at random."""

import hashlib
import math
from typing import Literal


def cosine_rate(base: float, *, epoch: int, epochs: int, step: int, steps: int, by: Literal["step", "epoch"]) -> float:
    """Cosine decay from ``base`` towards 0.

    ``epoch`` and ``step`` count from 0. By step, the first step has the full rate. By epoch, as in the released
    code, the schedule steps before each epoch: epoch e of E has ``½ · base · (1 + cos(π (e + 1) / E))``, the last 0.
    """
    done = (epoch * steps + step) / (epochs * steps) if by == "step" else (epoch + 1) / epochs
    return 0.5 * base * (1 + math.cos(math.pi * done))


def derived_seed(seed: int, *context: str | int) -> int:
    """A seed for one purpose, so that nothing random depends on what was drawn before it.

    >>> derived_seed(0, "phase_a", 1) == derived_seed(0, "phase_a", 1) != derived_seed(0, "phase_a", 2)
    True
    """
    digest = hashlib.sha256(":".join(map(str, (seed, *context))).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1  # torch takes 63 bits
