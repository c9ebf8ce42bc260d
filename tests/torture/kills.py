"""Work that is killed at random moments and taken up again: it ends with the files and numbers of undisturbed work."""

import random
import shutil
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from ballad.experiment import Experiment
from ballad.home import run_dir, stages_dir
from ballad.housekeeping import prune, unused_stages
from ballad.store import queries
from ballad.store.run_store import RunStore
from ballad.store.tasks import TaskStore
from ballad.work.jobs import JobManager
from ballad.work.task_kinds import TASKS
from ballad.work.task_worker import TaskWorker
from tests.helpers.worker_processes import processes, work_until_stopped

KILLS_OF_A_HOME = 4
SECONDS_TO_FINISH = 200


class Work(ABC):
    """Something to do in a home folder."""

    @abstractmethod
    def prepare(self, home: Path) -> None:
        """Put it before the workers."""

    @property
    @abstractmethod
    def do(self) -> Callable[[Path], None]:
        """What a process does about it: a function of a module, called with the home folder."""

    @abstractmethod
    def take_up_again(self, home: Path) -> None:
        """What a user does about it after a kill."""

    def outcome(self, home: Path) -> Any:
        """What must be the same, however often it was killed."""
        return stage_files(home), run_files(home), accuracies(home)


class Runs(Work):
    """One run, or several as a sweep."""

    def __init__(self, experiments: list[Experiment]) -> None:
        self._experiments = experiments

    def prepare(self, home: Path) -> None:
        RunStore(home).create_group("killed", self._experiments)

    @property
    def do(self) -> Callable[[Path], None]:
        return _work_on_the_queue if len(self._experiments) > 1 else _work_on_the_run

    def take_up_again(self, home: Path) -> None:
        store = RunStore(home)
        store.interrupt_orphans()
        runs = queries.runs(store)
        assert len(runs) == len(self._experiments) and set(runs["status"]) <= {"queued", "interrupted", "done"}, runs
        store.resume(*runs["id"])


class Prune(Work):
    """The removal of a deleted run and of the stages that it alone used, beside a run that is kept."""

    def __init__(self, two_runs: Path) -> None:
        self._two_runs = two_runs

    def prepare(self, home: Path) -> None:
        shutil.copytree(self._two_runs, home, dirs_exist_ok=True)
        store = RunStore(home)
        store.delete(queries.run_ids(store)[-1])

    @property
    def do(self) -> Callable[[Path], None]:
        return _prune

    def take_up_again(self, home: Path) -> None:
        assert len(queries.runs(RunStore(home))) == 1

    def outcome(self, home: Path) -> Any:
        assert len(list(run_dir(home, "").iterdir())) == 1
        return super().outcome(home)


class Projection(Work):
    """A map of a run's features, asked for as a page does."""

    def __init__(self, one_run: Path) -> None:
        self._one_run = one_run

    def prepare(self, home: Path) -> None:
        shutil.copytree(self._one_run, home, dirs_exist_ok=True)
        self._ask(home)

    def _ask(self, home: Path) -> None:
        store = RunStore(home)
        sides = [{"run": queries.run_ids(store)[0], "model": "ballad"}]
        TaskStore(store.database).ask("projection", {"sides": sides, "perplexity": 2})

    @property
    def do(self) -> Callable[[Path], None]:
        return _work_on_tasks

    def take_up_again(self, home: Path) -> None:
        TaskStore(RunStore(home).database).fail_orphans()
        self._ask(home)

    def outcome(self, home: Path) -> Any:
        done = TaskStore(RunStore(home).database).done("projection")
        return super().outcome(home), [task.result for task in done]


def kill_at_random(work: Work, folder: Path, kills: int, chance: random.Random) -> int:
    """Kill this work a number of times, a few of them in each home; returns the homes. AssertionError if an outcome
    differs."""
    undisturbed = folder / "undisturbed"
    work.prepare(undisturbed)
    _finish(work.prepare, folder / "warm-up")  # the first process waits for what all others find loaded
    started = time.monotonic()
    _finish(work.do, undisturbed)
    seconds = time.monotonic() - started
    expected = work.outcome(undisturbed)
    killed = homes = 0
    while killed < kills:
        homes += 1
        home = folder / str(homes)
        work.prepare(home)
        for _ in range(min(KILLS_OF_A_HOME, kills - killed)):
            process = processes.Process(target=work.do, args=(home,))
            process.start()
            process.join(chance.uniform(0, seconds))
            in_time = process.is_alive()
            process.kill()
            process.join()
            work.take_up_again(home)
            killed += in_time
            if not in_time:
                break
        _finish(work.do, home)
        assert work.outcome(home) == expected, home
        assert RunStore(home).database.read("PRAGMA integrity_check")[0][0] == "ok"
        shutil.rmtree(home)
    return homes


def _finish(do: Callable[[Path], None], home: Path) -> None:
    process = processes.Process(target=do, args=(home,))
    process.start()
    process.join(SECONDS_TO_FINISH)
    assert process.exitcode == 0, f"the work in {home} ended with {process.exitcode}"


def _work_on_the_run(home: Path) -> None:
    """The only run, if it is not done yet."""
    for run in RunStore(home).queued():
        work_until_stopped(home, run.id)


def _work_on_the_queue(home: Path) -> None:
    with JobManager(RunStore(home), devices=["cpu"], exclusive=False, drain=True) as manager:
        assert manager.wait(SECONDS_TO_FINISH)


def _prune(home: Path) -> None:
    prune(unused_stages(home), home)


def _work_on_tasks(home: Path) -> None:
    TaskWorker(RunStore(home), "projection", TASKS["projection"], stop=threading.Event()).work(drain=True)


def stage_files(home: Path) -> dict[str, bytes]:
    """The content of all stages, but for their manifests, which hold times."""
    root = stages_dir(home)
    paths = (path for path in root.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(root)): path.read_bytes() for path in paths if path.name != "manifest.json"}


def run_files(home: Path) -> list[list[str]]:
    """The names of the files of each run; what a killed process could not remove would be among them."""
    folders = sorted(run_dir(home, "").iterdir())
    return [sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) for folder in folders]


def accuracies(home: Path) -> list[tuple]:
    """Of every run by its settings: its models' accuracies, and the epochs on the way."""
    store = RunStore(home)
    keys = queries.runs(store).set_index("id")["key"]
    tables: list[pd.DataFrame] = [
        queries.results(store, keys.index.tolist()),
        queries.epoch_metrics(store, keys.index.tolist()).drop(columns="time"),
    ]
    named = [table.assign(run_id=table["run_id"].map(keys)).fillna(-1.0) for table in tables]
    return sorted((tuple(row) for table in named for row in table.itertuples(index=False)), key=repr)
