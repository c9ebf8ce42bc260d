"""Worker processes for tests, quick to start."""

import multiprocessing
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from ballad.store.run_store import RunStore
from ballad.work.worker import stop_on_signals, work_on

# Each child begins with torch already loaded, so that nearly every moment of its life is one of the run.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(
    ["ballad.stages.pipeline", "open_clip", "pyarrow.parquet", "tests.helpers.worker_processes"]
)


def work_until_stopped(home: Path, run_id: str) -> None:
    with stop_on_signals() as stop:
        work_on(RunStore(home), run_id, stop=stop, device="cpu")


def start(store: RunStore, run_id: str) -> ForkServerProcess:
    """A process that works on this run and then ends."""
    process = processes.Process(target=work_until_stopped, args=(store.home, run_id))
    process.start()
    return process
