"""The job system: works the store's queue in background threads, one for each device, one for each kind of task.

The queue and all other state lie in the store, so a second manager, in this process or another, does no harm.
"""

import atexit
import threading
import time
from collections.abc import Sequence
from typing import Self

from ballad.store.run_store import RunStore
from ballad.work.devices import device_for, list_devices, requests_served
from ballad.work.execution import Execute, run_pipeline
from ballad.work.executors.protocol import Executor
from ballad.work.executors.registry import EXECUTORS
from ballad.work.task_kinds import TASKS
from ballad.work.task_worker import TaskWorker
from ballad.work.worker import Worker

SECONDS_TO_STOP = 30.0


class JobManager:
    """Threads that take runs from the queue between :meth:`start` and :meth:`stop`.

    devices : those to work on; None for all of this machine's, and its CPU for the runs that ask for it.
    group_id : work on the runs of this group only, and on no tasks.
    exclusive : leave a device alone while another process runs something on it.
    drain : end when nothing is queued, instead of waiting for more.
    executors : by name; None for all that there are.
    """

    def __init__(
        self,
        store: RunStore,
        *,
        execute: Execute = run_pipeline,
        executors: dict[str, Executor] | None = None,
        devices: Sequence[str] | None = None,
        group_id: str | None = None,
        exclusive: bool = True,
        drain: bool = False,
    ) -> None:
        self._store = store
        self._executors = executors or {name: kind.build(store, execute) for name, kind in EXECUTORS.items()}
        self._devices = devices
        self._group_id = group_id
        self._exclusive = exclusive
        self._drain = drain
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Mark what earlier processes left behind as interrupted, and begin to work.

        RunError, before any run is taken, for a device that this machine does not have.
        """
        available = list_devices()
        devices = self._devices or [*available, "cpu"]
        chosen = dict.fromkeys(device_for(device, available) for device in devices)
        self._store.interrupt_orphans()
        for device in chosen:
            worker = Worker(
                self._store,
                device,
                self._executors,
                requests=requests_served(device, available),
                stop=self._stop,
                exclusive=self._exclusive,
                group_id=self._group_id,
            )
            self._begin(worker, f"worker {device}")
        if self._group_id is None:
            # A thread for each kind: a picture waits neither for a training nor for a download.
            for kind, perform in TASKS.items():
                self._begin(TaskWorker(self._store, kind, perform, stop=self._stop), f"worker {kind}")
        # For interpreters that end without a word, such as a server that was interrupted.
        atexit.register(self.stop)

    def stop(self, seconds: float = SECONDS_TO_STOP) -> None:
        """Stop what runs: it leaves a checkpoint and is marked as interrupted. Returns when that is done.

        A run that takes longer than ``seconds`` to stop is left to end with the process, and found interrupted later.
        """
        atexit.unregister(self.stop)
        self._stop.set()
        self.wait(seconds)

    def _begin(self, worker: Worker | TaskWorker, name: str) -> None:
        thread = threading.Thread(target=worker.work, kwargs={"drain": self._drain}, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def wait(self, seconds: float) -> bool:
        """Wait at most this long; returns whether all threads have ended."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
