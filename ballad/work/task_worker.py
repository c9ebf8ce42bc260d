"""Works on tasks of one kind, one after another, each to its end."""

import sqlite3
import threading
import time

from ballad.errors import BalladError, Cancelled
from ballad.events import CancelToken
from ballad.store.owners import BEAT_SECONDS, Owner
from ballad.store.run_store import RunStore
from ballad.store.tasks import Task, TaskStore
from ballad.work.rounds import LOOK_SECONDS, work_in_rounds
from ballad.work.task_kinds import Perform

REPORT_SECONDS = 0.5
"""The least time between two reports of progress, in seconds."""


class TaskWorker:
    """Takes the tasks of ``kind`` from the store.

    stop : when set, the task under way goes back to the queue, unless somebody cancelled it.
    """

    def __init__(self, store: RunStore, kind: str, perform: Perform, *, stop: threading.Event) -> None:
        self._home = store.home
        self._tasks = TaskStore(store.database)
        self._kind, self._perform, self._stop = kind, perform, stop
        self._owner = Owner.new()
        self._next_round = 0.0

    def work(self, *, drain: bool) -> None:
        """Work until asked to stop, or with ``drain`` until nothing of the kind is queued."""
        work_in_rounds(self._work_on_next, stop=self._stop, drain=drain)

    def _work_on_next(self) -> bool:
        self._fail_orphans()
        task = self._tasks.claim(self._owner, self._kind)
        if task is None:
            return False
        self._see_through(task)
        return True

    def _see_through(self, task: Task) -> None:
        cancel = CancelToken()
        # A daemon, so that a step that never ends cannot keep the process from ending.
        thread = threading.Thread(target=self._execute, args=(task, cancel), name=f"{task.kind} {task.id}", daemon=True)
        thread.start()
        next_beat = time.monotonic() + BEAT_SECONDS
        while thread.is_alive():
            thread.join(LOOK_SECONDS)
            try:
                if self._stop.is_set() or self._tasks.cancel_requested(task.id):
                    cancel.cancel()
                if time.monotonic() >= next_beat:
                    next_beat = time.monotonic() + BEAT_SECONDS
                    if not self._tasks.beat(task.id, self._owner):
                        cancel.cancel()
            except sqlite3.Error:
                continue  # trouble with the store must not stop a task that is doing well

    def _execute(self, task: Task, cancel: CancelToken) -> None:
        reported = 0.0

        def report(share: float, doing: str) -> None:
            nonlocal reported
            cancel.check()
            if time.monotonic() - reported >= REPORT_SECONDS:
                reported = time.monotonic()
                self._tasks.report(task.id, self._owner, share, doing)

        try:
            result = self._perform(self._home, task.arguments, report=report, cancel=cancel)
        except Cancelled:
            cancelled = self._tasks.cancel_requested(task.id)
            self._tasks.finish(task.id, self._owner, "cancelled" if cancelled else "queued")
        except BalladError as error:
            self._tasks.finish(task.id, self._owner, "failed", error=str(error))
        except BaseException as error:  # even SystemExit must not take the worker down
            sentence = f"This stopped because of an unexpected error: {type(error).__name__}: {error}"
            self._tasks.finish(task.id, self._owner, "failed", error=sentence[:400])
        else:
            self._tasks.finish(task.id, self._owner, "done", result=result)

    def _fail_orphans(self) -> None:
        if time.monotonic() >= self._next_round:
            self._next_round = time.monotonic() + BEAT_SECONDS
            self._tasks.fail_orphans()
