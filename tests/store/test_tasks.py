import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from ballad.errors import DataError, RunError
from ballad.store.owners import Owner
from ballad.store.run_store import RunStore
from ballad.store.tasks import Task, TaskStore
from ballad.work import jobs
from ballad.work.jobs import JobManager
from ballad.work.task_worker import TaskWorker


@pytest.fixture
def tasks(store: RunStore) -> TaskStore:
    return TaskStore(store.database)


def double(home, arguments, *, report, cancel):
    """Twice a number; or what goes wrong, by name."""
    match arguments["number"]:
        case "bad":
            raise DataError("There is no such number; choose another.")
        case "bug":
            raise ZeroDivisionError("division by zero")
        case "endless":
            while True:
                report(0.5, "Halfway")
                time.sleep(0.01)
    return {"doubled": 2 * arguments["number"]}


@pytest.fixture
def worker(store: RunStore):
    """A thread that works on the kind ``double``."""
    stop = threading.Event()
    thread = threading.Thread(
        target=TaskWorker(store, "double", double, stop=stop).work, kwargs={"drain": False}, daemon=True
    )
    thread.start()
    yield stop
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


def wait_for(tasks: TaskStore, task_id: str, reached: Callable[[Task], bool]) -> Task:
    deadline = time.monotonic() + 30
    while not reached(task := tasks.get(task_id)):
        assert time.monotonic() < deadline, task
        time.sleep(0.02)
    return task


def ended(task: Task) -> bool:
    return not task.active


def test_a_task_is_done_once_and_then_answered_at_once(tasks: TaskStore, worker) -> None:
    asked = tasks.ask("double", {"number": 4})
    assert wait_for(tasks, asked.id, ended).result == {"doubled": 8}
    again = tasks.ask("double", {"number": 4})
    assert (again.id, again.status, again.result) == (asked.id, "done", {"doubled": 8})


def test_what_was_removed_can_be_asked_for_again(tasks: TaskStore, worker) -> None:
    first = wait_for(tasks, tasks.ask("double", {"number": 4}).id, ended)
    again = tasks.ask("double", {"number": 4}, again=True)
    second = wait_for(tasks, again.id, ended)
    assert second.result == first.result and second.asked > first.asked


def test_a_users_error_is_kept_as_its_sentence_and_may_be_tried_again(tasks: TaskStore, worker) -> None:
    task = wait_for(tasks, tasks.ask("double", {"number": "bad"}).id, ended)
    assert (task.status, task.error) == ("failed", "There is no such number; choose another.")
    bug = wait_for(tasks, tasks.ask("double", {"number": "bug"}).id, ended)
    assert bug.status == "failed" and "ZeroDivisionError" in str(bug.error)
    assert tasks.ask("double", {"number": "bad"}).error is None


def test_a_running_task_reports_and_stops_when_cancelled(tasks: TaskStore, worker) -> None:
    task = tasks.ask("double", {"number": "endless"})
    reported = wait_for(tasks, task.id, lambda task: task.share > 0)
    assert (reported.status, reported.share, reported.doing) == ("running", 0.5, "Halfway")
    tasks.cancel(task.id)
    assert wait_for(tasks, task.id, ended).status == "cancelled"


def test_a_queued_task_is_cancelled_at_once(tasks: TaskStore) -> None:
    task = tasks.ask("double", {"number": 1})
    tasks.cancel(task.id)
    assert tasks.get(task.id).status == "cancelled"
    assert tasks.claim(Owner.new(), "double") is None


def test_a_worker_that_is_stopped_hands_its_task_back(store: RunStore, tasks: TaskStore) -> None:
    stop = threading.Event()
    task = tasks.ask("double", {"number": "endless"})
    thread = threading.Thread(target=TaskWorker(store, "double", double, stop=stop).work, kwargs={"drain": False})
    thread.start()
    wait_for(tasks, task.id, lambda task: task.status == "running")
    stop.set()
    thread.join(30)
    assert tasks.get(task.id).status == "queued"


def test_two_claims_never_take_one_task(store: RunStore, tasks: TaskStore) -> None:
    ids = {tasks.ask("double", {"number": number}).id for number in range(40)}
    taken: list[str] = []

    def take() -> None:
        owner, own = Owner.new(), TaskStore(RunStore(store.home).database)
        while (task := own.claim(owner, "double")) is not None:
            taken.append(task.id)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 40 and set(taken) == ids


def test_the_task_of_a_process_that_ended_fails_and_its_late_end_counts_for_nothing(tasks: TaskStore) -> None:
    gone = replace(Owner.new(), pid=2**22 + 1)
    task = tasks.ask("double", {"number": 1})
    assert tasks.claim(gone, "double")
    assert tasks.fail_orphans() == [task.id]
    assert "try again" in str(tasks.get(task.id).error)
    assert not tasks.finish(task.id, gone, "done", result={})
    assert not tasks.beat(task.id, gone)


def test_an_unknown_id_is_told_so(tasks: TaskStore) -> None:
    with pytest.raises(RunError, match="There is no task 'nope'"):
        tasks.get("nope")


def test_the_job_manager_works_on_tasks_beside_its_devices(
    store: RunStore, tasks: TaskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "TASKS", {"double": double})
    task = tasks.ask("double", {"number": 3})
    with JobManager(store, devices=["cpu"], drain=True) as manager:
        assert manager.wait(30)
    assert tasks.get(task.id).result == {"doubled": 6}


def test_a_task_is_of_who_asked_first_until_it_is_queued_anew(tasks: TaskStore) -> None:
    task = tasks.ask("double", {"number": 1}, asked_by="ann@example.org")
    assert tasks.ask("double", {"number": 1}, asked_by="bob@example.org").asked_by == "ann@example.org"
    tasks.cancel(task.id)
    assert tasks.ask("double", {"number": 1}, asked_by="bob@example.org").asked_by == "bob@example.org"
    assert tasks.ask("double", {"number": 2}).asked_by is None
