"""A small stand-in for training whose behaviour an experiment's notes choose, and a worker process that runs it."""

import argparse
import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ballad.errors import DataError
from ballad.events import CancelToken, EpochEvaluated, Evaluated, EventSink, Progress
from ballad.experiment import Experiment
from ballad.home import default_home
from ballad.store.run_store import RunStore
from ballad.work.jobs import JobManager
from ballad.work.worker import stop_on_signals, work_on

ACCURACY = {"many": 70.0, "medium": 60.0, "few": 50.0, "all": 62.0}


def tiny_work(
    experiment: Experiment,
    *,
    home: Path,
    run_dir: Path,
    device: str,
    on_event: EventSink,
    cancel: CancelToken,
    companions: Sequence[Experiment],
) -> dict[str, Any]:
    """Three epochs; notes may say what goes wrong, or ``long`` for an hour."""
    with (run_dir / "executions").open("a") as file:
        file.write(f"{os.getpid()} {device} {len(companions)}\n")
    match experiment.notes:
        case "bad data":
            raise DataError("The image a.png cannot be read; replace it.")
        case "bug":
            raise ZeroDivisionError("division by zero")
        case "exit":
            sys.exit(3)
        case "full disk":
            raise OSError(errno.ENOSPC, "No space left on device", "towers.safetensors")
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "deaf":
            threading.Event().wait(3600)
        case "meet":  # until two runs have begun, and so two workers
            while len(list(home.glob("runs/*/executions"))) < 2:
                time.sleep(0.01)
    for epoch in range(1, 3601 if experiment.notes == "long" else 4):
        cancel.check()
        on_event(Progress("phase_a", epoch, 3, 1, 1, 0.5, 0.1, 100.0))
        on_event(EpochEvaluated("phase_a", epoch, 0.5, 0.1, ACCURACY))
        if experiment.notes == "long":
            time.sleep(0.02)
    on_event(Evaluated("ballad", "test", ACCURACY))
    return {}


def main() -> None:
    parser = argparse.ArgumentParser()
    for option in ("--run", "--device", "--claimed-by"):
        parser.add_argument(option)
    options = parser.parse_args()
    store = RunStore(default_home())
    with stop_on_signals() as stop:
        if options.run:
            work_on(
                store,
                options.run,
                stop=stop,
                device=options.device,
                claimed_by=options.claimed_by,
                execute=tiny_work,
            )
            return
        with JobManager(store, execute=tiny_work, devices=["cpu"], exclusive=False, drain=True) as manager:
            while not manager.wait(0.1) and not stop.is_set():
                pass


if __name__ == "__main__":
    main()
