"""Runs in a thread of the process that works the queue."""

import sqlite3
import threading
import time

from ballad.events import CancelToken, EventSink, ignore
from ballad.store.owners import BEAT_SECONDS, Owner
from ballad.store.run import Run
from ballad.store.run_store import RunStore
from ballad.work.execution import Execute, execute_run, run_pipeline
from ballad.work.executors.protocol import ExecutorKind


class ThreadExecutor:
    """Runs in a thread of this process."""

    def __init__(self, store: RunStore, execute: Execute = run_pipeline, on_event: EventSink = ignore) -> None:
        self._store = store
        self._execute = execute
        self._on_event = on_event

    def submit(self, run: Run, owner: Owner) -> "ThreadJob":
        return ThreadJob(self._store, run, owner, self._execute, self._on_event)


class ThreadJob:
    """One run in a thread. Polling it keeps its heartbeat going."""

    def __init__(self, store: RunStore, run: Run, owner: Owner, execute: Execute, on_event: EventSink) -> None:
        self.stopped_by: BaseException | None = None
        self._store, self._run, self._owner = store, run, owner
        self._execute, self._on_event = execute, on_event
        self._cancel = CancelToken()
        self._next_beat = time.monotonic() + BEAT_SECONDS
        # A daemon, so that a step that never ends cannot keep the process from ending.
        self._thread = threading.Thread(target=self._work, name=f"run {run.id}", daemon=True)
        self._thread.start()

    def poll(self, seconds: float) -> bool:
        self._thread.join(seconds)
        if self._thread.is_alive() and time.monotonic() >= self._next_beat:
            self._beat()
        return not self._thread.is_alive()

    def cancel(self) -> None:
        self._cancel.cancel()

    def _work(self) -> None:
        self.stopped_by = execute_run(self._store, self._run, self._owner, self._cancel, self._execute, self._on_event)

    def _beat(self) -> None:
        self._next_beat = time.monotonic() + BEAT_SECONDS
        try:
            if not self._store.beat(self._run.id, self._owner):
                # Taken for dead, as after a long sleep of the machine: another worker may be at it.
                self._cancel.cancel()
        except sqlite3.Error:
            return  # a full disk or a long lock may pass before the next beat


THREAD = ExecutorKind(
    "thread",
    title="a thread of this server",
    help="A thread starts faster but ends when the server does; the run can then be resumed from its last checkpoint.",
    build=ThreadExecutor,
)
