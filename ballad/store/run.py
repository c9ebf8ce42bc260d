"""One run: its row in the store, and how a new one comes about."""

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal, Self

from ballad.experiment import Experiment

Status = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
STATUSES: tuple[Status, ...] = ("queued", "running", "done", "failed", "cancelled", "interrupted")
RESUMABLE: tuple[Status, ...] = ("failed", "cancelled", "interrupted")
DEFAULT_EXECUTOR = "thread"
"""What executes a run for which no executor was named."""


@dataclass(frozen=True)
class Run:
    """A run as it stood when it was read; times are seconds since 1970, UTC."""

    id: str
    name: str
    settings: str
    key: str
    dataset: str
    status: Status
    final_model: str
    requested_device: str
    executor: str
    group_id: str | None
    tags: tuple[str, ...]
    notes: str
    created: float
    started: float | None
    """Start of the latest attempt."""
    finished: float | None
    seconds: float
    """Spent in all finished attempts."""
    attempts: int
    device: str | None
    owner: str | None
    heartbeat: float | None
    cancel_requested: bool
    error: str | None
    """The sentence that says why it failed or was interrupted."""
    deleted: float | None
    started_by: str | None
    """Who was logged in where the run was asked for; None without a login."""

    @classmethod
    def of_row(cls, row: sqlite3.Row) -> Self:
        values = {field.name: row[field.name] for field in fields(cls)}
        values["tags"] = tuple(json.loads(row["tags"]))
        values["cancel_requested"] = bool(row["cancel_requested"])
        return cls(**values)

    @property
    def experiment(self) -> Experiment:
        """The settings, validated; SettingsError if this release no longer knows one of them."""
        return Experiment.parse(json.loads(self.settings))


def insert_run(
    db: sqlite3.Connection,
    experiment: Experiment,
    executor: str,
    tags: Sequence[str],
    group_id: str | None,
    started_by: str | None,
) -> str:
    """Add a queued run; returns its id. ``executor`` is a name that workers know."""
    run_id = next_id(db)
    values = {
        "id": run_id,
        "name": experiment.name,
        "settings": experiment.model_dump_json(),
        "key": experiment.key,
        "dataset": experiment.dataset.source,
        "backbone": experiment.backbone.name,
        "schedule": experiment.schedule,
        "seed": experiment.seed,
        "budget": experiment.budget,
        "final_model": experiment.final_model,
        "requested_device": experiment.runtime.device,
        "executor": executor,
        "priority": 0,  # nothing sets or reads it; stores that have it stay as they are
        "group_id": group_id,
        "tags": tags_json(tags),
        "notes": experiment.notes,
        "status": "queued",
        "created": time.time(),
        "started_by": started_by,
    }
    marks = ", ".join(f":{column}" for column in values)
    db.execute(f"INSERT INTO runs ({', '.join(values)}) VALUES ({marks})", values)
    return run_id


def next_id(db: sqlite3.Connection) -> str:
    """A new id for a run or group: the milliseconds since 1970 in base 36, one more where that is taken.

    Unique because the caller holds the write lock; eight characters until 2059, in order of creation.
    """
    latest = db.execute("SELECT max(id) FROM (SELECT max(id) AS id FROM runs UNION ALL SELECT max(id) FROM groups)")
    taken = latest.fetchone()[0]
    number = time.time_ns() // 1_000_000
    if taken is not None:
        number = max(number, int(taken, 36) + 1)
    return _base36(number)


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def tags_json(tags: Sequence[str]) -> str:
    """Tags as they are stored: without surrounding space or repetition, in the order given."""
    return json.dumps(list(dict.fromkeys(tag.strip() for tag in tags if tag.strip())), ensure_ascii=False)
