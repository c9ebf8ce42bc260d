"""What an executor is, to the worker that gives it runs and to the person who chooses it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ballad.store.owners import Owner
from ballad.store.run import Run
from ballad.store.run_store import RunStore
from ballad.work.execution import Execute


class Job(Protocol):
    """A run that is being executed."""

    def poll(self, seconds: float) -> bool:
        """Wait at most this long; True once it has ended and the store says how."""

    def cancel(self) -> None:
        """Ask it to stop; may be asked again."""


class Executor(Protocol):
    """A way to execute runs."""

    def submit(self, run: Run, owner: Owner) -> Job:
        """Begin with a run that ``owner`` has claimed."""


@dataclass(frozen=True)
class ExecutorKind:
    """A way to execute runs, as the store names it and as people read it.

    title : completes "Runs in …".
    help : a sentence that says when to choose it.
    build : makes the executor for a store; an executor that does not run in this process ignores ``execute``.
    """

    name: str
    title: str
    help: str
    build: Callable[[RunStore, Execute], Executor]
