"""Executes one claimed run to its end, whatever happens, and records how it ended."""

import errno
import sqlite3
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from ballad.errors import BalladError, Cancelled, RunError, SettingsError
from ballad.events import CancelToken, Event, EventSink
from ballad.experiment import Experiment
from ballad.home import run_dir
from ballad.store.owners import Owner
from ballad.store.run import Run, Status
from ballad.store.run_store import RunStore

SECONDS_TO_WRITE_THE_END = 30.0


class Execute(Protocol):
    """What runs an experiment: :func:`ballad.stages.pipeline.run_experiment`."""

    def __call__(
        self,
        experiment: Experiment,
        *,
        home: Path,
        run_dir: Path,
        device: str,
        on_event: EventSink,
        cancel: CancelToken,
        companions: Sequence[Experiment],
    ) -> dict[str, Any]: ...


def run_pipeline(experiment: Experiment, **arguments: Any) -> dict[str, Any]:
    """:func:`ballad.stages.pipeline.run_experiment`, and with it torch, loaded when the first run needs it."""
    from ballad.stages.pipeline import run_experiment

    return run_experiment(experiment, **arguments)


def execute_run(
    store: RunStore, run: Run, owner: Owner, cancel: CancelToken, execute: Execute, on_event: EventSink
) -> BaseException | None:
    """Run a claimed run and record its end; returns what stopped it, if anything did.

    A stop is a cancellation if somebody asked the store for it, else an interruption. A full disk is a RunError,
    whatever error a library made of it.
    """
    status: Status = "done"
    stopped_by: BaseException | None = None
    sentence = details = None

    def tell(event: Event) -> None:
        store.record(run.id, event)
        on_event(event)

    try:
        folder = run_dir(store.home, run.id)
        folder.mkdir(parents=True, exist_ok=True)
        execute(
            run.experiment,
            home=store.home,
            run_dir=folder,
            device=run.device or "cpu",
            on_event=tell,
            cancel=cancel,
            companions=_companions(store, run),
        )
    except Cancelled as error:
        stopped_by = error
        status = "cancelled" if store.cancel_requested(run.id) else "interrupted"
    except BaseException as error:  # even SystemExit must not take the worker down
        status, sentence, details = "failed", plain_sentence(error, store.home), traceback.format_exc()
        stopped_by = RunError(sentence) if _disk_is_full(error) else error
    _write_the_end(lambda: store.finish(run.id, owner, status, error=sentence, traceback=details))
    return stopped_by


def _companions(store: RunStore, run: Run) -> list[Experiment]:
    """Waiting experiments on the same towers: what they share can be computed in one go."""
    key = run.experiment.towers_key
    waiting = []
    for other in store.queued():
        # Settings of another release are that run's trouble, when its turn comes.
        with suppress(SettingsError):
            if other.dataset == run.dataset:
                waiting.append(other.experiment)
    return [experiment for experiment in waiting if experiment.towers_key == key]


def plain_sentence(error: BaseException, home: Path) -> str:
    """What to tell the user about an error."""
    if isinstance(error, BalladError):
        return str(error)
    if _disk_is_full(error):
        return f"The disk that holds {home} is full; free some space, then resume the run."
    first_line = (str(error).strip().splitlines() or [""])[0][:200]
    what = f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
    return f"The run stopped because of an unexpected error: {what}; see the log for details."


def _disk_is_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return True
    # Libraries with writers of their own pass on only the system's words.
    return "No space left on device" in str(error)


def _write_the_end(write: Callable[[], object]) -> None:
    """Try for a while, since the disk may be full; otherwise whichever process finds the run ownerless marks it."""
    deadline = time.monotonic() + SECONDS_TO_WRITE_THE_END
    while True:
        try:
            write()
            return
        except sqlite3.Error:
            if time.monotonic() > deadline:
                return
            time.sleep(1)
