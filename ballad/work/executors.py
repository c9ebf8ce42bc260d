"""Where a claimed run is executed: in a thread of this process, or in a process of its own.

Both are submitted to, polled and cancelled alike; a cluster's scheduler could be a third.
"""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from ballad.events import CancelToken, EventSink, ignore
from ballad.home import run_dir
from ballad.package import interpreter_environment
from ballad.store.owners import BEAT_SECONDS, Owner
from ballad.store.run import Run, Status
from ballad.store.run_store import RunStore
from ballad.work.execution import Execute, execute_run, run_pipeline

SECONDS_TO_STOP = 60.0
"""A process that was asked to stop, and has not by then, is killed."""


class Job(Protocol):
    """A run that is being executed."""

    def poll(self, seconds: float) -> bool:
        """Wait at most so long; True once it has ended and the store says how."""

    def cancel(self) -> None:
        """Ask it to stop; may be asked again."""


class Executor(Protocol):
    """A way to execute runs."""

    def submit(self, run: Run, owner: Owner) -> Job:
        """Begin with a run that ``owner`` has claimed."""


class ThreadExecutor:
    """Runs in a thread of this process."""

    def __init__(self, store: RunStore, execute: Execute = run_pipeline, on_event: EventSink = ignore) -> None:
        self._store = store
        self._execute = execute
        self._on_event = on_event

    def submit(self, run: Run, owner: Owner) -> "ThreadJob":
        return ThreadJob(self._store, run, owner, self._execute, self._on_event)


class ThreadJob:
    """One run in a thread. Whoever polls it keeps its heartbeat going."""

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


class ProcessExecutor:
    """Runs in a clean interpreter: ``python -m ballad worker --run ID``, which takes over the claim."""

    def __init__(self, store: RunStore, command: Sequence[str] = (sys.executable, "-m", "ballad", "worker")) -> None:
        self._store = store
        self._command = command

    def submit(self, run: Run, owner: Owner) -> "ProcessJob":
        device = run.device or "cpu"
        command = [*self._command, "--run", run.id, "--device", device, "--claimed-by", str(owner)]
        return ProcessJob(self._store, run, owner, command)


class ProcessJob:
    """One run in a process group of its own, out of reach of the terminal's Ctrl-C.

    The process owns the run: it keeps the heartbeat, looks for requests to cancel, and goes on if this process ends.
    """

    def __init__(self, store: RunStore, run: Run, owner: Owner, command: Sequence[str]) -> None:
        self._store, self._run, self._owner = store, run, owner
        self._kill_at: float | None = None
        folder = run_dir(store.home, run.id)
        folder.mkdir(parents=True, exist_ok=True)
        self._output = folder / "worker.log"
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**interpreter_environment(), "BALLAD_HOME": str(store.home)},
                start_new_session=True,
            )

    def poll(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            if self._kill_at is not None and time.monotonic() > self._kill_at:
                self._signal(signal.SIGKILL)
            return False
        self._record_unexpected_end()
        return True

    def cancel(self) -> None:
        if self._kill_at is None:
            self._kill_at = time.monotonic() + SECONDS_TO_STOP
            self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return

    def _record_unexpected_end(self) -> None:
        """End the run if the process did not, because it was killed or could not begin."""
        run = self._store.get(self._run.id)
        if run.status != "running" or run.owner is None:
            return
        owner = Owner.parse(run.owner)
        if owner != self._owner and owner.pid != self._process.pid:
            return
        code = self._process.returncode
        if code >= 0:
            error = f"The worker process ended with exit code {code}; the log has its last words."
        elif self._kill_at is not None:
            error = "The worker process did not stop when asked, and was killed."
        else:
            error = (
                f"The worker process was killed by signal {-code} ({signal.Signals(-code).name}), perhaps for want of"
                " memory; resume the run to continue where it stopped."
            )
        status: Status = "cancelled" if run.cancel_requested else "interrupted" if code < 0 else "failed"
        words = self._output.read_text(encoding="utf-8", errors="replace")[-4000:]
        self._store.finish(run.id, owner, status, error=error, traceback=words.strip() or None)
