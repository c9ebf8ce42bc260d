"""Every run there ever was: what it should do, where it stands, what it measured.

A run is ``queued`` → ``running`` → ``done``, ``failed``, ``cancelled`` or ``interrupted`` (its process ended before
it did); from the last three it can be queued again and continues from its last finished stage or checkpoint.
Several processes and threads may use one store at once. What pages show is read with :mod:`ballad.store.queries`.
"""

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any, Self

from ballad.errors import RunError
from ballad.events import Event
from ballad.experiment import Experiment
from ballad.home import ensure_home, store_path
from ballad.store.database import Database
from ballad.store.owners import Owner, Watch
from ballad.store.recorder import Recorder, touch, write_log
from ballad.store.run import DEFAULT_EXECUTOR, RESUMABLE, Run, Status, insert_run, next_id, tags_json


class RunStore:
    """The store of one home folder, created when missing. RunError if it cannot be used."""

    def __init__(self, home: Path) -> None:
        self.home = ensure_home(home)
        self.database = Database(store_path(home))
        self._recorder = Recorder(self.database)
        self._watch = Watch()
        self.actor: str | None = None

    def on_behalf_of(self, actor: str | None) -> Self:
        """The same store, where what is started and changed is recorded as this person's; None records nobody."""
        theirs = copy(self)
        theirs.actor = actor
        return theirs

    def version(self, run_id: str | None = None) -> int:
        """A number that grows whenever anything a page shows has changed, in any run or in this one.

        Cheap enough to ask several times per second; heartbeats do not count.
        """
        if run_id is None:
            return self.database.read("SELECT value FROM counter")[0][0]
        rows = self.database.read("SELECT changed FROM runs WHERE id = ?", run_id)
        return rows[0][0] if rows else 0

    # Creating and finding

    def create(
        self,
        experiment: Experiment,
        *,
        executor: str = DEFAULT_EXECUTOR,
        tags: Sequence[str] = (),
    ) -> str:
        """Queue one run; returns its id. Ids sort by creation, and runs are worked on in that order.

        ``executor`` is a name that workers know; :func:`ballad.sweeps.queue_run` refuses unknown ones.
        """
        with self.database.write() as db:
            run_id = insert_run(db, experiment, executor, tags, group_id=None, started_by=self.actor)
            touch(db, run_id)
        return run_id

    def create_group(
        self,
        name: str,
        experiments: Sequence[Experiment],
        *,
        definition: Mapping[str, Any] | None = None,
        executor: str = DEFAULT_EXECUTOR,
        tags: Sequence[str] = (),
    ) -> tuple[str, list[str]]:
        """Queue several runs in this order as one group, all or none; returns the group's id and theirs.

        ``definition`` (JSON) says what they were made from, such as a sweep's base and grid.
        """
        with self.database.write() as db:
            group_id = next_id(db)
            db.execute(
                "INSERT INTO groups VALUES (?, ?, ?, ?)",
                (group_id, name, json.dumps(dict(definition or {}), ensure_ascii=False), time.time()),
            )
            ids = [insert_run(db, experiment, executor, tags, group_id, self.actor) for experiment in experiments]
            touch(db, *ids)
        return group_id, ids

    def get(self, run_id: str) -> Run:
        """The run with this id, or with the only id that begins so; RunError if there is none."""
        rows = self.database.read("SELECT * FROM runs WHERE id = ?", run_id)
        if not rows and run_id:
            rows = self.database.read("SELECT * FROM runs WHERE substr(id, 1, ?) = ?", len(run_id), run_id)
        if len(rows) == 1:
            return Run.of_row(rows[0])
        problem = "Several runs have ids that begin with" if rows else "There is no run"
        raise RunError(f"{problem} '{run_id}'; `python -m ballad list` shows all ids.")

    def group_ids(self, group_id: str) -> list[str]:
        """The ids of a group's runs in their order; RunError if there is no such group."""
        if not self.database.read("SELECT 1 FROM groups WHERE id = ?", group_id):
            raise RunError(f"There is no group '{group_id}'.")
        rows = self.database.read("SELECT id FROM runs WHERE group_id = ? AND deleted IS NULL ORDER BY id", group_id)
        return [row["id"] for row in rows]

    def queued(self) -> list[Run]:
        """Waiting runs in the order in which they are claimed."""
        rows = self.database.read("SELECT * FROM runs WHERE status = 'queued' AND deleted IS NULL ORDER BY id")
        return [Run.of_row(row) for row in rows]

    # Work

    def claim(
        self,
        owner: Owner,
        device: str,
        *,
        requests: Sequence[str],
        run_id: str | None = None,
        group_id: str | None = None,
        exclusive: bool = False,
    ) -> Run | None:
        """Take the next queued run for ``device``, of all or of one group, or ``run_id``; None if there is none.

        ``requests`` are the device settings that this device can serve, such as auto, cuda and cuda:0.
        ``exclusive``: take nothing while a run is already running on that device of this machine.
        """
        wanted = ["status = 'queued'", "deleted IS NULL", f"requested_device IN ({_marks(requests)})"]
        values: list[object] = list(requests)
        for column, chosen in (("id", run_id), ("group_id", group_id)):
            if chosen is not None:
                wanted.append(f"{column} = ?")
                values.append(chosen)
        if exclusive:
            wanted.append("NOT EXISTS (SELECT 1 FROM runs WHERE status = 'running' AND device = ? AND host = ?)")
            values += [device, owner.host]
        # Idle workers ask often: look before taking the write lock.
        queued = f"SELECT id FROM runs WHERE {' AND '.join(wanted)} ORDER BY id LIMIT 1"
        if not self.database.read(queued, *values):
            return None
        with self.database.write() as db:
            now = time.time()
            row = db.execute(
                "UPDATE runs SET status = 'running', device = ?, host = ?, owner = ?, heartbeat = ?, started = ?,"
                f" finished = NULL, attempts = attempts + 1 WHERE id = ({queued}) RETURNING *",
                (device, owner.host, str(owner), now, now, *values),
            ).fetchone()
            if row is None:
                return None
            touch(db, row["id"])
        return Run.of_row(row)

    def hand_over(self, run_id: str, giver: Owner, taker: Owner) -> Run | None:
        """Make ``taker`` the owner of a run that ``giver`` claimed; None if it is no longer the giver's."""
        with self.database.write() as db:
            row = db.execute(
                "UPDATE runs SET owner = ?, host = ?, heartbeat = ?"
                " WHERE id = ? AND owner = ? AND status = 'running' RETURNING *",
                (str(taker), taker.host, time.time(), run_id, str(giver)),
            ).fetchone()
        return None if row is None else Run.of_row(row)

    def beat(self, run_id: str, owner: Owner) -> bool:
        """Say that the owner is alive; False if the run is no longer its own."""
        with self.database.write() as db:
            beaten = db.execute(
                "UPDATE runs SET heartbeat = ? WHERE id = ? AND owner = ? AND status = 'running'",
                (time.time(), run_id, str(owner)),
            )
        return bool(beaten.rowcount)

    def cancel_requested(self, run_id: str) -> bool:
        rows = self.database.read("SELECT cancel_requested FROM runs WHERE id = ?", run_id)
        return bool(rows and rows[0]["cancel_requested"])

    def finish(
        self, run_id: str, owner: Owner, status: Status, *, error: str | None = None, traceback: str | None = None
    ) -> bool:
        """End an owned run; ``error`` is the sentence to show. False, and no change, if the owner has lost it."""
        with self.database.write() as db:
            self._recorder.flush(db, run_id)
            ended = self._end(db, run_id, str(owner), status, time.time(), error)
            if ended and traceback:
                write_log(db, run_id, "traceback", traceback)
        return ended

    def interrupt_orphans(self) -> list[str]:
        """Mark running runs whose owner is gone as interrupted; returns their ids. Any process may call this."""
        orphans = [
            row
            for row in self.database.read("SELECT id, owner, heartbeat FROM runs WHERE status = 'running'")
            if self._watch.is_gone(Owner.parse(row["owner"]), row["heartbeat"])
        ]
        if not orphans:
            return []
        error = "The process that was working on the run ended; resume the run to continue where it stopped."
        with self.database.write() as db:
            return [
                row["id"]
                for row in orphans
                if self._end(db, row["id"], row["owner"], "interrupted", row["heartbeat"], error)
            ]

    def _end(
        self, db: sqlite3.Connection, run_id: str, owner: str, status: Status, finished: float, error: str | None
    ) -> bool:
        ended = db.execute(
            "UPDATE runs SET status = ?, finished = ?, seconds = seconds + max(0, ? - started), error = ?,"
            " owner = NULL, cancel_requested = 0 WHERE id = ? AND owner = ? AND status = 'running'",
            (status, finished, finished, error, run_id, owner),
        ).rowcount
        if ended:
            if error:
                write_log(db, run_id, "error", error)
            touch(db, run_id)
        return bool(ended)

    # What users ask for

    def cancel(self, *run_ids: str) -> list[str]:
        """Cancel queued runs at once, ask running ones to stop; returns those that it concerned."""
        with self.database.write() as db:
            now = time.time()
            stopped = _returned_ids(
                db,
                "UPDATE runs SET status = 'cancelled', finished = :now WHERE status = 'queued' AND id IN",
                run_ids,
                now=now,
            )
            asked = _returned_ids(
                db, "UPDATE runs SET cancel_requested = 1 WHERE status = 'running' AND id IN", run_ids
            )
            self._note(db, "Cancelled", *stopped, *asked)
            touch(db, *stopped, *asked)
        return sorted(stopped + asked)

    def resume(self, *run_ids: str) -> list[str]:
        """Queue failed, cancelled and interrupted runs again; returns those that it concerned."""
        with self.database.write() as db:
            ids = _returned_ids(
                db,
                "UPDATE runs SET status = 'queued', error = NULL, cancel_requested = 0, finished = NULL, device = NULL"
                f" WHERE status IN {RESUMABLE} AND deleted IS NULL AND id IN",
                run_ids,
            )
            self._note(db, "Queued again", *ids)
            touch(db, *ids)
        return ids

    def edit(
        self, run_id: str, *, name: str | None = None, notes: str | None = None, tags: Sequence[str] | None = None
    ) -> None:
        """Change what people wrote about a run; None leaves a field as it is."""
        new = {"name": name, "notes": notes, "tags": None if tags is None else tags_json(tags)}
        new = {column: value for column, value in new.items() if value is not None}
        if not new:
            return
        with self.database.write() as db:
            settings = ", ".join(f"{column} = ?" for column in new)
            if not db.execute(f"UPDATE runs SET {settings} WHERE id = ?", (*new.values(), run_id)).rowcount:
                raise RunError(f"There is no run '{run_id}'.")
            self._note(db, f"Changed ({', '.join(new)})", run_id)
            touch(db, run_id)

    def delete(self, *run_ids: str) -> list[str]:
        """Hide runs until :meth:`restore` or :meth:`purge`; queued ones are cancelled, running ones left alone."""
        with self.database.write() as db:
            ids = _returned_ids(
                db,
                "UPDATE runs SET deleted = :now, status = iif(status = 'queued', 'cancelled', status)"
                " WHERE status != 'running' AND deleted IS NULL AND id IN",
                run_ids,
                now=time.time(),
            )
            self._note(db, "Deleted", *ids)
            touch(db, *ids)
        return ids

    def restore(self, *run_ids: str) -> list[str]:
        """Bring deleted runs back; returns those that it concerned."""
        with self.database.write() as db:
            ids = _returned_ids(db, "UPDATE runs SET deleted = NULL WHERE deleted IS NOT NULL AND id IN", run_ids)
            self._note(db, "Restored", *ids)
            touch(db, *ids)
        return ids

    def purge(self) -> list[str]:
        """Remove deleted runs from the store for good; returns their ids, whose folders are the caller's to remove."""
        with self.database.write() as db:
            ids = [row["id"] for row in db.execute("DELETE FROM runs WHERE deleted IS NOT NULL RETURNING id")]
            db.execute("DELETE FROM groups WHERE id NOT IN (SELECT group_id FROM runs WHERE group_id IS NOT NULL)")
            touch(db)
        return ids

    def _note(self, db: sqlite3.Connection, change: str, *run_ids: str) -> None:
        """Say in the log of each run who changed it, where that is known."""
        if self.actor is not None:
            for run_id in run_ids:
                write_log(db, run_id, "info", f"{change} by {self.actor}.")

    # What runs tell

    def record(self, run_id: str, event: Event) -> None:
        """Keep what a running experiment tells.

        Progress is thinned to about two rows per second, and fewer in a long phase; the rest is kept as it comes.
        """
        self._recorder.record(run_id, event)

    def log(self, run_id: str, level: str, text: str) -> None:
        """Add a line to a run's log; ``level`` is info, notice, error or traceback."""
        with self.database.write() as db:
            write_log(db, run_id, level, text)
            touch(db, run_id)


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _returned_ids(db: sqlite3.Connection, update: str, run_ids: Sequence[str], **values: object) -> list[str]:
    """Run ``update``, which ends in "IN", for these ids; returns, sorted, the ids that it changed."""
    listed = {f"id{index}": run_id for index, run_id in enumerate(run_ids)}
    marks = ", ".join(f":{name}" for name in listed)
    return sorted(row["id"] for row in db.execute(f"{update} ({marks}) RETURNING id", {**values, **listed}))
