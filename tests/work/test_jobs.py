import gc
import os
import re
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ballad.errors import DataError
from ballad.experiment import Experiment
from ballad.home import run_dir
from ballad.store import queries
from ballad.store.owners import Owner
from ballad.store.run import Run
from ballad.store.run_store import RunStore
from ballad.work.executors import process, thread
from ballad.work.executors.process import ProcessExecutor
from ballad.work.executors.protocol import Executor
from ballad.work.executors.registry import EXECUTORS
from ballad.work.executors.thread import ThreadExecutor
from ballad.work.jobs import JobManager
from tests.helpers.tiny_work import tiny_work

ROOT = Path(__file__).parents[2]
TINY_WORKER = (sys.executable, "-m", "tests.helpers.tiny_work")


@pytest.fixture(params=sorted(EXECUTORS))
def executor(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def manager(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobManager]:
    monkeypatch.chdir(ROOT)
    both: dict[str, Executor] = {
        "thread": ThreadExecutor(store, tiny_work),
        "process": ProcessExecutor(store, TINY_WORKER),
    }
    with JobManager(store, executors=both, devices=["cpu"]) as manager:
        yield manager


def wait_for(store: RunStore, run_id: str, reached: Callable[[Run], bool], seconds: float = 60) -> Run:
    deadline = time.monotonic() + seconds
    while not reached(run := store.get(run_id)):
        assert time.monotonic() < deadline, f"the run is still {run.status}"
        time.sleep(0.02)
    return run


def ended(run: Run) -> bool:
    return run.status not in ("queued", "running")


def begin_long_run(store: RunStore, executor: str) -> str:
    """A run that has recorded its first epoch."""
    run_id = store.create(Experiment(notes="long"), executor=executor)
    wait_for(store, run_id, lambda run: len(queries.epoch_metrics(store, [run.id])) > 0)
    return run_id


def executions(store: RunStore, run_id: str) -> list[str]:
    return (run_dir(store.home, run_id) / "executions").read_text().splitlines()


def test_run_is_executed_and_recorded(store: RunStore, manager: JobManager, executor: str) -> None:
    run_id = store.create(Experiment(), executor=executor)
    run = wait_for(store, run_id, ended)
    assert (run.status, run.error, run.device, run.attempts) == ("done", None, "cpu", 1)
    assert queries.runs(store)["all"].tolist() == [62.0]
    assert len(queries.epoch_metrics(store, [run_id], ["all"])) == 3
    pid = int(executions(store, run_id)[0].split()[0])
    assert (pid == os.getpid()) == (executor == "thread")


@pytest.mark.parametrize(
    ("notes", "sentence"),
    [
        ("bad data", r"^The image a\.png cannot be read; replace it\.$"),
        ("bug", r"^The run stopped because of an unexpected error: ZeroDivisionError: division by zero; see the log"),
        ("exit", r"^The run stopped because of an unexpected error: SystemExit: 3;"),
        ("full disk", r"^The disk that holds .*home is full; free some space, then resume the run\.$"),
    ],
)
def test_failing_run_says_why_and_the_worker_goes_on(
    store: RunStore, manager: JobManager, executor: str, notes: str, sentence: str
) -> None:
    failing = store.create(Experiment(notes=notes), executor=executor)
    following = store.create(Experiment(), executor="thread")
    run = wait_for(store, failing, ended)
    assert run.status == "failed"
    assert re.search(sentence, str(run.error))
    log = queries.log(store, failing).set_index("level")["text"]
    assert "Traceback" in log["traceback"]
    assert wait_for(store, following, ended).status == "done"


def test_what_a_run_held_is_gone_when_the_next_begins(store: RunStore) -> None:
    class Towers:
        def __init__(self) -> None:
            self.forward = self  # as folded towers do

    held: list[weakref.ref[Towers]] = []
    alive: list[bool] = []

    def hold_and_fail(experiment: Experiment, **arguments: Any) -> dict[str, Any]:
        alive.extend(reference() is not None for reference in held)
        towers = Towers()
        held.append(weakref.ref(towers))
        raise DataError("The image a.png cannot be read.")

    for seed in range(3):
        store.create(Experiment(seed=seed))
    gc.disable()
    try:
        with JobManager(store, execute=hold_and_fail, devices=["cpu"], drain=True) as manager:
            assert manager.wait(60)
    finally:
        gc.enable()
    assert alive == [False] * 3  # of one earlier run, then of two


def test_killed_process_is_interrupted_and_the_worker_goes_on(store: RunStore, manager: JobManager) -> None:
    killed = store.create(Experiment(notes="killed"), executor="process")
    following = store.create(Experiment())
    run = wait_for(store, killed, ended)
    assert run.status == "interrupted"
    assert "SIGKILL" in str(run.error)
    assert wait_for(store, following, ended).status == "done"


def test_process_that_cannot_begin_fails_with_its_last_words(store: RunStore) -> None:
    broken = ProcessExecutor(store, (sys.executable, "-c", "raise SystemExit('no such worker')"))
    run_id = store.create(Experiment(), executor="process")
    with JobManager(store, executors={"process": broken}, devices=["cpu"]):
        run = wait_for(store, run_id, ended)
    assert run.status == "failed"
    assert "exit code 1" in str(run.error)
    assert "no such worker" in queries.log(store, run_id)["text"].iloc[-1]


def test_program_that_does_not_exist_fails_only_its_run(store: RunStore) -> None:
    missing: dict[str, Executor] = {
        "process": ProcessExecutor(store, ("/no/such/python",)),
        "thread": ThreadExecutor(store, tiny_work),
    }
    failing = store.create(Experiment(), executor="process")
    following = store.create(Experiment())
    with JobManager(store, executors=missing, devices=["cpu"]):
        assert "FileNotFoundError" in str(wait_for(store, failing, ended).error)
        assert wait_for(store, following, ended).status == "done"


def test_run_for_an_executor_that_is_not_here_fails_and_the_next_begins(store: RunStore, manager: JobManager) -> None:
    stranger = store.create(Experiment(), executor="slurm")
    following = store.create(Experiment())
    assert "executor 'slurm'; this worker has thread and process." in str(wait_for(store, stranger, ended).error)
    assert wait_for(store, following, ended).status == "done"


def test_cancelled_run_stops_and_the_next_begins(store: RunStore, manager: JobManager, executor: str) -> None:
    cancelled = begin_long_run(store, executor)
    following = store.create(Experiment(), executor=executor)
    store.cancel(cancelled)
    run = wait_for(store, cancelled, ended, seconds=20)
    assert (run.status, run.error) == ("cancelled", None)
    assert wait_for(store, following, ended).status == "done"


def test_stopped_manager_leaves_runs_interrupted_and_they_resume(
    store: RunStore, manager: JobManager, executor: str
) -> None:
    run_id = begin_long_run(store, executor)
    manager.stop()
    assert store.get(run_id).status == "interrupted"
    assert store.resume(run_id) == [run_id]
    assert store.get(run_id).status == "queued"


def test_process_that_does_not_stop_when_asked_is_killed(
    store: RunStore, manager: JobManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "SECONDS_TO_STOP", 0.5)
    run_id = store.create(Experiment(notes="deaf"), executor="process")
    wait_for(store, run_id, lambda run: (run_dir(store.home, run.id) / "executions").exists())
    store.cancel(run_id)
    run = wait_for(store, run_id, ended, seconds=20)
    assert run.status == "cancelled"
    assert "was killed" in str(run.error)


def test_second_manager_leaves_a_busy_device_alone(store: RunStore, manager: JobManager) -> None:
    first = begin_long_run(store, "thread")
    second = store.create(Experiment())
    with JobManager(store, execute=tiny_work, devices=["cpu"]):
        time.sleep(1)
        assert [store.get(run_id).status for run_id in (first, second)] == ["running", "queued"]
        store.cancel(first)
        assert wait_for(store, second, ended).status == "done"
    assert len(executions(store, second)) == 1


def test_run_that_another_worker_took_over_is_left_to_it(
    store: RunStore, manager: JobManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread, "BEAT_SECONDS", 0.2)
    run_id = begin_long_run(store, "thread")
    other = replace(Owner.new(), host="another-machine")
    assert store.hand_over(run_id, Owner.parse(str(store.get(run_id).owner)), other)
    following = store.create(Experiment())
    assert wait_for(store, following, ended).status == "done"
    assert store.get(run_id).status == "running"


def test_two_processes_drain_one_queue_and_each_run_happens_once(store: RunStore) -> None:
    _, ids = store.create_group("queue", [Experiment(seed=seed, notes="meet") for seed in range(30)])
    environment = {**os.environ, "BALLAD_HOME": str(store.home)}
    workers = [subprocess.Popen(TINY_WORKER, cwd=ROOT, env=environment) for _ in range(2)]
    assert [worker.wait(100) for worker in workers] == [0, 0]
    assert set(queries.runs(store)["status"]) == {"done"}
    work = [executions(store, run_id) for run_id in ids]
    assert all(len(lines) == 1 for lines in work)
    assert len({lines[0].split()[0] for lines in work}) == 2


def test_worker_process_that_is_terminated_leaves_its_run_interrupted(store: RunStore) -> None:
    run_id = store.create(Experiment(notes="long"))
    environment = {**os.environ, "BALLAD_HOME": str(store.home)}
    with subprocess.Popen(TINY_WORKER, cwd=ROOT, env=environment) as worker:
        wait_for(store, run_id, lambda run: run.status == "running")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    assert store.get(run_id).status == "interrupted"


def test_waiting_runs_on_the_same_towers_are_companions(store: RunStore) -> None:
    changes = [{"phase_b.residual_factor": 0.1}, {"phase_b.residual_factor": 0.2}, {"phase_a.epochs": 3}, {"seed": 1}]
    ids = [store.create(Experiment().with_values(change)) for change in changes]
    with JobManager(store, execute=tiny_work, devices=["cpu"], drain=True) as manager:
        assert manager.wait(60)
    assert [executions(store, run_id)[0].split()[2] for run_id in ids] == ["1", "0", "0", "0"]


def test_a_waiting_run_of_another_release_fails_alone(store: RunStore) -> None:
    first, of_another_release = store.create(Experiment()), store.create(Experiment())
    with store.database.write() as db:
        db.execute("UPDATE runs SET settings = '{\"unheard_of\": 1}' WHERE id = ?", (of_another_release,))
    with JobManager(store, execute=tiny_work, devices=["cpu"], drain=True) as manager:
        assert manager.wait(60)
    assert [store.get(run_id).status for run_id in (first, of_another_release)] == ["done", "failed"]
    assert "There is no setting 'unheard_of'" in str(store.get(of_another_release).error)
