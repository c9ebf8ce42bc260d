"""Running experiments from Python: what ``ballad.run``, ``ballad.sweep`` and ``ballad.runs`` are."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ballad.errors import Cancelled, RunError
from ballad.events import EventSink, ignore
from ballad.experiment import Experiment
from ballad.home import default_home, run_dir
from ballad.store import queries
from ballad.store.run_store import RunStore
from ballad.sweeps import GroupStatus, group_status, queue_sweep
from ballad.work.devices import device_for, list_devices
from ballad.work.execution import Execute, run_pipeline
from ballad.work.jobs import JobManager
from ballad.work.worker import work_on

SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True)
class FinishedRun:
    """A run that is done. ``accuracies``: one row per model and split, with many, medium, few and all in percent."""

    id: str
    folder: Path
    accuracies: pd.DataFrame

    def result(self) -> dict[str, Any]:
        """What ``result.json`` in the run's folder holds: key, dataset, budget, seconds by phase, accuracies."""
        from ballad.stages.run_folder import RunFolder

        return RunFolder(self.folder).result()


def run(
    experiment: Experiment,
    *,
    home: Path | None = None,
    tags: Sequence[str] = (),
    on_event: EventSink = ignore,
    stop: threading.Event | None = None,
    execute: Execute = run_pipeline,
) -> FinishedRun:
    """Run one experiment here and now, and return its results; whatever an earlier run computed is reused.

    home : folder of the store; None for ``BALLAD_HOME`` or ``./runs``. on_event : sees every event as it comes.
    stop : when set, the run stops with a checkpoint. Raises what the experiment raises; Cancelled if it was stopped.
    """
    device_for(experiment.runtime.device, list_devices())
    store = RunStore(home or default_home())
    return finish_here(store, store.create(experiment, tags=tags), on_event=on_event, stop=stop, execute=execute)


def finish_here(
    store: RunStore,
    run_id: str,
    *,
    on_event: EventSink = ignore,
    stop: threading.Event | None = None,
    execute: Execute = run_pipeline,
) -> FinishedRun:
    """Execute a queued run in this process, or wait for another process that has already taken it.

    Raises as :func:`run`, and RunError if it is not queued or another process did not finish it.
    """
    stop = stop or threading.Event()
    try:
        job = work_on(store, run_id, stop=stop, execute=execute, on_event=on_event)
    except RunError:
        if store.get(run_id).status != "running":
            raise
        _wait_for_another(store, run_id, stop)
    else:
        if job.stopped_by is not None:
            raise job.stopped_by
    return FinishedRun(run_id, run_dir(store.home, run_id), queries.results(store, [run_id]))


def _wait_for_another(store: RunStore, run_id: str, stop: threading.Event) -> None:
    while (run := store.get(run_id)).status == "running":
        if stop.wait(SECONDS_BETWEEN_LOOKS):
            store.cancel(run_id)
            raise Cancelled
        store.interrupt_orphans()
    if run.status != "done":
        raise RunError(run.error or f"The run {run_id} was {run.status} in another process.")


def sweep(
    base: Experiment,
    grid: Mapping[str, Sequence[Any]],
    *,
    name: str = "",
    home: Path | None = None,
    tags: Sequence[str] = (),
    queue_only: bool = False,
    stop: threading.Event | None = None,
    execute: Execute = run_pipeline,
) -> pd.DataFrame:
    """Run every combination of the grid's values, such as ``{"phase_b.residual_factor": [0.1, 0.2], "seed": [0, 1]}``.

    Runs on all of this machine's devices and returns when all have ended; a run that fails does not stop the others.
    With ``queue_only``, leaves them to the dashboard or ``python -m ballad worker``. Returns the group's runs as
    :func:`ballad.store.queries.runs` does. Raises SettingsError before anything is queued if a value is not allowed.
    """
    device_for(base.runtime.device, list_devices())
    store = RunStore(home or default_home())
    group_id = queue_sweep(store, base, grid, name=name, tags=tags)
    if not queue_only:
        finish_group_here(store, group_id, stop=stop, execute=execute)
    return queries.runs(store, group_id=group_id)


def finish_group_here(
    store: RunStore,
    group_id: str,
    *,
    on_status: Callable[[GroupStatus], None] | None = None,
    stop: threading.Event | None = None,
    execute: Execute = run_pipeline,
) -> None:
    """Execute a group's queued runs on this machine's devices, and wait for those that other processes took.

    Returns when ``stop`` is set, or when all have ended but those that no device of this machine serves.
    """
    stop = stop or threading.Event()
    seen = -1

    def show_status() -> None:
        nonlocal seen
        if on_status is not None and store.version() != seen:
            seen = store.version()
            on_status(group_status(store, group_id))

    while not stop.is_set():
        with JobManager(store, execute=execute, group_id=group_id, exclusive=False, drain=True) as manager:
            while not manager.wait(SECONDS_BETWEEN_LOOKS) and not stop.is_set():
                show_status()
        show_status()
        if not group_status(store, group_id).counts["running"]:
            return
        stop.wait(SECONDS_BETWEEN_LOOKS)


def runs(*, home: Path | None = None) -> pd.DataFrame:
    """All runs, the newest first, with the columns of :func:`ballad.store.queries.runs`."""
    return queries.runs(RunStore(home or default_home()))
