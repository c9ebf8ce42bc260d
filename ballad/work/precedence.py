"""Who waits where pages and training want the same cores."""

import os
import sys

NICENESS = 5
"""Added to what the process began with: training gets three of four parts of a core that both want."""


def give_way() -> None:
    """Let this thread, and all that it starts from now on, give way to the process's other threads and its children.

    A training step waits for the slowest of its threads, so it loses more to pages than the time that they take. Does
    nothing but on Linux, where each thread has a niceness of its own.
    """
    if sys.platform == "linux":
        os.nice(NICENESS)
