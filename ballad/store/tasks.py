"""Small work that pages ask for beside the runs: a projection, a prediction, a download.

A task is ``queued`` → ``running`` → ``done``, ``failed`` or ``cancelled``. Its id is a hash of its kind and arguments,
so that who asks the same again finds the same task, and with it the answer. Several processes may use one store.
What the kinds do is in :mod:`ballad.work.task_kinds`, who works on them in :mod:`ballad.work.task_worker`.
"""

import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from ballad.errors import RunError
from ballad.experiment import settings_hash
from ballad.store.database import Database
from ballad.store.owners import Owner, Watch

TaskStatus = Literal["queued", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True)
class Task:
    """A task as it stood when it was read; times are seconds since 1970, UTC."""

    id: str
    kind: str
    arguments: dict[str, Any]
    status: TaskStatus
    asked: float
    asked_by: str | None
    """Who was logged in; None without a login."""
    started: float | None
    finished: float | None
    share: float
    """Of the work that is done, 0 to 1."""
    doing: str
    """What it is doing, for people."""
    cancel_requested: bool
    error: str | None
    """The sentence that says why it failed."""
    result: dict[str, Any] | None

    @classmethod
    def of_row(cls, row: sqlite3.Row) -> Self:
        return cls(
            id=row["id"],
            kind=row["kind"],
            arguments=json.loads(row["arguments"]),
            status=row["status"],
            asked=row["asked"],
            asked_by=row["asked_by"],
            started=row["started"],
            finished=row["finished"],
            share=row["share"],
            doing=row["doing"],
            cancel_requested=bool(row["cancel_requested"]),
            error=row["error"],
            result=None if row["result"] is None else json.loads(row["result"]),
        )

    @property
    def active(self) -> bool:
        return self.status in ("queued", "running")


def task_id(kind: str, arguments: Mapping[str, Any]) -> str:
    """The id of the task with these arguments, whether or not anybody asked for it."""
    return settings_hash({"kind": kind, "arguments": dict(arguments)})


class TaskStore:
    """The tasks in a store; see :attr:`ballad.store.run_store.RunStore.database`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watch = Watch()

    def ask(self, kind: str, arguments: Mapping[str, Any], *, again: bool = False, asked_by: str | None = None) -> Task:
        """The task of this kind with these arguments (JSON), queued if it is new, has failed or was cancelled.

        ``again``: queue it also if it is done, because what it made was removed.
        """
        wanted, now = task_id(kind, arguments), time.time()
        to_repeat = ("failed", "cancelled", "done") if again else ("failed", "cancelled")
        with self._database.write() as db:
            db.execute(
                "INSERT INTO tasks (id, kind, arguments, status, asked, asked_by) VALUES (?, ?, ?, 'queued', ?, ?)"
                " ON CONFLICT DO UPDATE SET status = 'queued', asked = excluded.asked,"
                " asked_by = excluded.asked_by, started = NULL,"
                " finished = NULL, share = 0, doing = '', cancel_requested = 0, error = NULL, result = NULL"
                f" WHERE status IN ({', '.join('?' * len(to_repeat))})",
                (wanted, kind, json.dumps(dict(arguments), ensure_ascii=False), now, asked_by, *to_repeat),
            )
        return self.get(wanted)

    def find(self, task_id: str) -> Task | None:
        """The task with this id; None if nobody has asked for it."""
        rows = self._database.read("SELECT * FROM tasks WHERE id = ?", task_id)
        return Task.of_row(rows[0]) if rows else None

    def done(self, kind: str) -> list[Task]:
        """The tasks of this kind that are done, the first asked first."""
        rows = self._database.read("SELECT * FROM tasks WHERE kind = ? AND status = 'done' ORDER BY asked", kind)
        return [Task.of_row(row) for row in rows]

    def get(self, task_id: str) -> Task:
        """The task with this id; RunError if nobody has asked for it."""
        task = self.find(task_id)
        if task is None:
            raise RunError(f"There is no task '{task_id}'.")
        return task

    def cancel(self, task_id: str) -> None:
        """Cancel a queued task at once, ask a running one to stop."""
        with self._database.write() as db:
            db.execute(
                "UPDATE tasks SET status = 'cancelled', finished = ? WHERE status = 'queued' AND id = ?",
                (time.time(), task_id),
            )
            db.execute("UPDATE tasks SET cancel_requested = 1 WHERE status = 'running' AND id = ?", (task_id,))

    # For those who work on them

    def claim(self, owner: Owner, kind: str) -> Task | None:
        """Take the task of this kind that waits longest; None if there is none."""
        queued = "SELECT id FROM tasks WHERE status = 'queued' AND kind = ? ORDER BY asked LIMIT 1"
        # Idle workers ask often: look before taking the write lock.
        if not self._database.read(queued, kind):
            return None
        with self._database.write() as db:
            now = time.time()
            row = db.execute(
                "UPDATE tasks SET status = 'running', owner = ?, heartbeat = ?, started = ?"
                f" WHERE id = ({queued}) RETURNING *",
                (str(owner), now, now, kind),
            ).fetchone()
        return None if row is None else Task.of_row(row)

    def beat(self, task_id: str, owner: Owner) -> bool:
        """Say that the owner is alive; False if the task is no longer its own or should stop."""
        with self._database.write() as db:
            row = db.execute(
                "UPDATE tasks SET heartbeat = ? WHERE id = ? AND owner = ? AND status = 'running'"
                " RETURNING cancel_requested",
                (time.time(), task_id, str(owner)),
            ).fetchone()
        return row is not None and not row["cancel_requested"]

    def cancel_requested(self, task_id: str) -> bool:
        return self.get(task_id).cancel_requested

    def report(self, task_id: str, owner: Owner, share: float, doing: str) -> None:
        """Say how far an owned task is."""
        with self._database.write() as db:
            db.execute(
                "UPDATE tasks SET share = ?, doing = ? WHERE id = ? AND owner = ?", (share, doing, task_id, str(owner))
            )

    def finish(
        self,
        task_id: str,
        owner: Owner,
        status: TaskStatus,
        *,
        error: str | None = None,
        result: Mapping[str, Any] | None = None,
    ) -> bool:
        """End an owned task, or with ``queued`` hand it back; False, and no change, if the owner has lost it."""
        with self._database.write() as db:
            ended = db.execute(
                "UPDATE tasks SET status = ?, finished = ?, error = ?, result = ?, owner = NULL, cancel_requested = 0"
                " WHERE id = ? AND owner = ? AND status = 'running'",
                (
                    status,
                    None if status == "queued" else time.time(),
                    error,
                    None if result is None else json.dumps(dict(result), ensure_ascii=False),
                    task_id,
                    str(owner),
                ),
            )
        return bool(ended.rowcount)

    def fail_orphans(self) -> list[str]:
        """Mark running tasks whose owner is gone as failed; returns their ids. Any process may call this."""
        running = self._database.read("SELECT id, owner, heartbeat FROM tasks WHERE status = 'running'")
        error = "The process that was working on this ended before it finished; try again."
        return [
            row["id"]
            for row in running
            if self._watch.is_gone(owner := Owner.parse(row["owner"]), row["heartbeat"])
            and self.finish(row["id"], owner, "failed", error=error)
        ]
