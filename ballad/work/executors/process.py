"""Executes each run in its own process, with a clean interpreter."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from ballad.home import run_dir
from ballad.package import interpreter_environment
from ballad.stages.file_names import WORKER_LOG
from ballad.store.owners import Owner
from ballad.store.run import Run, Status
from ballad.store.run_store import RunStore
from ballad.work.executors.protocol import ExecutorKind

SECONDS_TO_STOP = 60.0
"""A process that has not stopped this long after it was asked to is killed."""


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
        self._output = folder / WORKER_LOG
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Threads that wait for each other sleep, since pages can use the core meanwhile.
                env={"OMP_WAIT_POLICY": "passive", **interpreter_environment(), "BALLAD_HOME": str(store.home)},
                # A session of its own would be a unit of Linux's scheduler, whatever the niceness of threads.
                process_group=0,
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
                f"The worker process was killed by signal {-code} ({signal.Signals(-code).name}), perhaps because "
                "memory ran out; resume the run to continue where it stopped."
            )
        status: Status = "cancelled" if run.cancel_requested else "interrupted" if code < 0 else "failed"
        words = self._output.read_text(encoding="utf-8", errors="replace")[-4000:]
        self._store.finish(run.id, owner, status, error=error, traceback=words.strip() or None)


PROCESS = ExecutorKind(
    "process",
    title="a process of its own",
    help="A process of its own keeps the pages responsive and keeps running if the server crashes.",
    build=lambda store, execute: ProcessExecutor(store),
)
