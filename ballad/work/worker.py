"""Works on the queue: takes one run after another for one device and executes each to its end."""

import gc
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from traceback import format_exc
from types import FrameType

from ballad.errors import RunError
from ballad.events import EventSink, ignore
from ballad.store.owners import BEAT_SECONDS, Owner
from ballad.store.run import Run
from ballad.store.run_store import RunStore
from ballad.work.devices import device_for, list_devices
from ballad.work.execution import Execute, plain_sentence, run_pipeline
from ballad.work.executors.protocol import Executor, Job
from ballad.work.executors.thread import ThreadExecutor, ThreadJob
from ballad.work.rounds import LOOK_SECONDS, work_in_rounds


class Worker:
    """One worker of one device.

    executors : by name; a run that asks for another one fails, and says so.
    requests : the values of ``runtime.device`` it serves.
    exclusive : take nothing while any process of this machine already runs something on the device.
    group_id : take runs of this group only.
    stop : when set, the current run is stopped and, unless somebody cancelled it, marked as interrupted.
    """

    def __init__(
        self,
        store: RunStore,
        device: str,
        executors: Mapping[str, Executor],
        *,
        requests: Sequence[str],
        stop: threading.Event,
        exclusive: bool = False,
        group_id: str | None = None,
    ) -> None:
        self.owner = Owner.new()
        self._store = store
        self._device = device
        self._executors = executors
        self._requests = requests
        self._exclusive = exclusive
        self._group_id = group_id
        self._stop = stop
        self._next_round = 0.0

    def work(self, *, drain: bool) -> None:
        """Work until asked to stop, or with ``drain`` until nothing is queued for this device."""
        work_in_rounds(self._work_on_next, stop=self._stop, drain=drain)

    def _work_on_next(self) -> bool:
        self._interrupt_orphans()
        run = self._claim()
        if run is None:
            return False
        self._execute(run)
        # Folded towers refer to themselves, and an error to all that the run held when it was raised: the next run
        # wants their memory.
        gc.collect()
        return True

    def _execute(self, run: Run) -> None:
        try:
            job = self._executor(run).submit(run, self.owner)
        except Exception as error:  # no folder, no process: this run fails, the worker goes on
            sentence = plain_sentence(error, self._store.home)
            self._store.finish(run.id, self.owner, "failed", error=sentence, traceback=format_exc())
        else:
            self.see_through(run, job)

    def _executor(self, run: Run) -> Executor:
        if run.executor not in self._executors:
            known = " and ".join(self._executors)
            raise RunError(f"The run asks for the executor '{run.executor}'; this worker has {known}.")
        return self._executors[run.executor]

    def see_through(self, run: Run, job: Job) -> None:
        """Watch over a run that is being executed; returns when it has ended."""
        try:
            while not job.poll(LOOK_SECONDS):
                if self._should_stop(run):
                    job.cancel()
        except BaseException:  # Ctrl-C: leave a checkpoint, then go
            job.cancel()
            while not job.poll(LOOK_SECONDS):
                pass
            raise

    def _should_stop(self, run: Run) -> bool:
        if self._stop.is_set():
            return True
        try:
            self._interrupt_orphans()
            return self._store.cancel_requested(run.id)
        except sqlite3.Error:
            return False  # trouble with the store must not stop a run that is doing well

    def _claim(self) -> Run | None:
        return self._store.claim(
            self.owner, self._device, requests=self._requests, group_id=self._group_id, exclusive=self._exclusive
        )

    def _interrupt_orphans(self) -> None:
        if time.monotonic() >= self._next_round:
            self._next_round = time.monotonic() + BEAT_SECONDS
            self._store.interrupt_orphans()


def work_on(
    store: RunStore,
    run_id: str,
    *,
    stop: threading.Event,
    device: str | None = None,
    claimed_by: str | None = None,
    execute: Execute = run_pipeline,
    on_event: EventSink = ignore,
) -> ThreadJob:
    """Execute one queued run, or one that another worker claimed for this process, in this process.

    Raises RunError if the run is not queued, not claimed by that worker, or asks for a device that is not here.
    """
    run = store.get(run_id)
    device = device_for(run.requested_device if device is None else device, list_devices())
    requests = [run.requested_device]
    executor = ThreadExecutor(store, execute, on_event)
    worker = Worker(store, device, {"thread": executor}, requests=requests, stop=stop)
    if claimed_by is not None:
        claimed = store.hand_over(run.id, Owner.parse(claimed_by), worker.owner)
    else:
        claimed = store.claim(worker.owner, device, requests=requests, run_id=run.id)
    if claimed is None:
        raise RunError(f"Run {run.id} cannot be executed: it is {store.get(run.id).status}.")
    job = executor.submit(claimed, worker.owner)
    worker.see_through(claimed, job)
    return job


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set; a second Ctrl-C raises KeyboardInterrupt. Main thread only."""
    stop = threading.Event()

    def request_stop(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, request_stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
