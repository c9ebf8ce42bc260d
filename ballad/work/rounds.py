"""How workers look for work: one thing after another, whatever it is."""

import sqlite3
import threading
from collections.abc import Callable

from ballad.store.owners import BEAT_SECONDS

LOOK_SECONDS = 0.25
"""How often an idle worker looks for work, and a busy one whether its work has ended or should."""


def work_in_rounds(work_on_next: Callable[[], bool], *, stop: threading.Event, drain: bool) -> None:
    """Work until ``stop`` is set, or with ``drain`` until nothing is queued.

    work_on_next : takes the next thing and sees it to its end; False if there was none.
    """
    while not stop.is_set():
        try:
            if not work_on_next():
                if drain:
                    return
                stop.wait(LOOK_SECONDS)
        except sqlite3.Error:
            # The disk may be full, or another process hold the store; neither ends the worker.
            stop.wait(BEAT_SECONDS)
