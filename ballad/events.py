"""What a running experiment tells the outside, and how the outside tells it to stop.

Events flow one way, from the training core to a sink: a progress bar in the shell, the store in a worker.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from ballad.errors import Cancelled


@dataclass(frozen=True)
class StageStarted:
    """A stage begins to compute; ``stage`` is its kind, ``key`` its content address."""

    stage: str
    key: str


@dataclass(frozen=True)
class StageFinished:
    """A stage is complete on disk; ``reused`` says that it was there before."""

    stage: str
    key: str
    seconds: float
    reused: bool


@dataclass(frozen=True)
class Progress:
    """Where a phase stands. ``step`` counts from 1 within the epoch; rates are images per second."""

    phase: str
    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float | None = None
    learning_rate: float | None = None
    images_per_second: float | None = None
    eta_seconds: float | None = None
    device_memory_bytes: int | None = None


@dataclass(frozen=True)
class EpochEvaluated:
    """The end of an epoch; accuracies are percentages on the validation split, ``None`` for an empty group."""

    phase: str
    epoch: int
    loss: float | None
    learning_rate: float | None
    accuracy: dict[str, float | None]


@dataclass(frozen=True)
class Evaluated:
    """A finished model's accuracies on one split: ``model`` is zero_shot, phase_a, ballad or joint.

    diverged : its training ended no better than guessing; see :func:`ballad.analysis.divergence.has_diverged`.
    """

    model: str
    split: str
    accuracy: dict[str, float | None]
    diverged: bool = False


@dataclass(frozen=True)
class Notice:
    """Something the user should know: a halved micro-batch, a skipped image, a budget."""

    message: str


Event = StageStarted | StageFinished | Progress | EpochEvaluated | Evaluated | Notice
EventSink = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The sink of callers who do not watch."""


class CancelToken:
    """A request to stop, checked by the training loops at every step."""

    def __init__(self) -> None:
        self._requested = threading.Event()

    def cancel(self) -> None:
        self._requested.set()

    @property
    def requested(self) -> bool:
        return self._requested.is_set()

    def check(self) -> None:
        """Raise :class:`Cancelled` if a stop was requested."""
        if self._requested.is_set():
            raise Cancelled
