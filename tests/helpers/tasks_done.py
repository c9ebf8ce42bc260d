"""The worker's part of a page's test."""

import threading

from ballad.store.run_store import RunStore
from ballad.work.task_kinds import TASKS
from ballad.work.task_worker import TaskWorker


def work_on_tasks(store: RunStore) -> None:
    """Do what pages asked for, here and now."""
    for kind, perform in TASKS.items():
        TaskWorker(store, kind, perform, stop=threading.Event()).work(drain=True)
