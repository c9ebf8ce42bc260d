"""Turns the events of a running experiment into rows, thinning those that come at every step."""

import math
import sqlite3
import threading
import time
from dataclasses import dataclass, field

from ballad.events import EpochEvaluated, Evaluated, Event, Notice, Progress, StageFinished, StageStarted
from ballad.shot_groups import GROUPS
from ballad.store.database import Database

PROGRESS_SECONDS = 0.5
"""The least time between two progress rows, in seconds."""
POINTS_OF_A_CURVE = 2000
"""A phase's step-level curves get sparser as it grows: about this many points, and as many more for each e-fold."""


@dataclass
class _Pace:
    """When a run last wrote, in monotonic seconds, and the progress it has not written yet."""

    phase: str = ""
    phase_began: float = 0.0
    progress_written: float = -math.inf
    metrics_written: float = -math.inf
    pending: Progress | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Recorder:
    """Writes events of any number of runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._paces: dict[str, _Pace] = {}

    def record(self, run_id: str, event: Event) -> None:
        pace = self._paces.setdefault(run_id, _Pace())
        with pace.lock:
            if isinstance(event, Progress):
                self._record_progress(run_id, event, pace)
                return
            with self._database.write() as db:
                self._write_pending(db, run_id, pace)
                _write_event(db, run_id, event, time.time())
                touch(db, run_id)

    def flush(self, db: sqlite3.Connection, run_id: str) -> None:
        """Write what was held back of an ending run, within the caller's transaction."""
        pace = self._paces.pop(run_id, None)
        if pace is not None:
            self._write_pending(db, run_id, pace)

    def _record_progress(self, run_id: str, event: Progress, pace: _Pace) -> None:
        now = time.monotonic()
        if event.phase != pace.phase:
            pace.phase, pace.phase_began = event.phase, now
        pace.pending = event
        if now - pace.progress_written < PROGRESS_SECONDS:
            return
        with self._database.write() as db:
            self._write_pending(db, run_id, pace)
            if now - pace.metrics_written >= (now - pace.phase_began) / POINTS_OF_A_CURVE:
                pace.metrics_written = now
                _write_step_metrics(db, run_id, event, time.time())
            touch(db, run_id)

    def _write_pending(self, db: sqlite3.Connection, run_id: str, pace: _Pace) -> None:
        if pace.pending is not None:
            _write_progress(db, run_id, pace.pending, time.time())
            pace.pending = None
            pace.progress_written = time.monotonic()


def touch(db: sqlite3.Connection, *run_ids: str) -> None:
    """Count a change of these runs, for those who poll :meth:`ballad.store.run_store.RunStore.version`."""
    changed = db.execute("UPDATE counter SET value = value + 1 RETURNING value").fetchone()[0]
    db.executemany("UPDATE runs SET changed = ? WHERE id = ?", [(changed, run_id) for run_id in run_ids])


def write_log(db: sqlite3.Connection, run_id: str, level: str, text: str) -> None:
    db.execute("INSERT INTO log (run_id, time, level, text) VALUES (?, ?, ?, ?)", (run_id, time.time(), level, text))


def _write_event(db: sqlite3.Connection, run_id: str, event: Event, now: float) -> None:
    match event:
        case StageStarted(stage, key):
            db.execute(
                "INSERT OR REPLACE INTO run_stages (run_id, stage, key, started) VALUES (?, ?, ?, ?)",
                (run_id, stage, key, now),
            )
            write_log(db, run_id, "info", f"Stage {stage} ({key}) begins.")
        case StageFinished(stage, key, seconds, reused):
            # What the run computed in an earlier attempt stays its own work when it is found again.
            db.execute(
                "INSERT INTO run_stages VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET started ="
                " excluded.started, finished = excluded.finished, seconds = excluded.seconds, reused = excluded.reused"
                " WHERE finished IS NULL OR NOT excluded.reused",
                (run_id, stage, key, now - seconds, now, seconds, reused),
            )
            how = "was there already" if reused else f"is complete after {seconds:.1f} s"
            write_log(db, run_id, "info", f"Stage {stage} ({key}) {how}.")
        case EpochEvaluated(phase, epoch, loss, learning_rate, accuracy):
            values = {"loss": loss, "learning_rate": learning_rate, **accuracy}
            _write_metrics(db, run_id, phase, epoch, 0, float(epoch), values, now)
        case Evaluated(model, split, accuracy, diverged):
            groups = [accuracy.get(group) for group in GROUPS]
            db.execute(
                "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (run_id, model, split, *groups, diverged),
            )
        case Notice(message):
            write_log(db, run_id, "notice", message)


def _write_progress(db: sqlite3.Connection, run_id: str, event: Progress, now: float) -> None:
    db.execute(
        "INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run_id,
            event.phase,
            event.epoch,
            event.epochs,
            event.step,
            event.steps,
            event.loss,
            event.learning_rate,
            event.images_per_second,
            event.eta_seconds,
            event.device_memory_bytes,
            now,
        ),
    )
    if event.images_per_second:
        db.execute(
            "INSERT OR REPLACE INTO throughput"
            " SELECT id, iif(:phase = 'phase_b' AND settings ->> '$.phase_b.features' = 'exact',"
            " 'fresh features', :phase), backbone, device, :speed, :now"
            " FROM runs WHERE id = :run AND device IS NOT NULL",
            {"phase": event.phase, "speed": event.images_per_second, "now": now, "run": run_id},
        )


def _write_step_metrics(db: sqlite3.Connection, run_id: str, event: Progress, now: float) -> None:
    epochs_done = event.epoch - 1 + event.step / max(1, event.steps)
    values = {
        "loss": event.loss,
        "learning_rate": event.learning_rate,
        "images_per_second": event.images_per_second,
    }
    _write_metrics(db, run_id, event.phase, event.epoch, event.step, epochs_done, values, now)


def _write_metrics(
    db: sqlite3.Connection,
    run_id: str,
    phase: str,
    epoch: int,
    step: int,
    epochs_done: float,
    values: dict[str, float | None],
    now: float,
) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO metrics VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (run_id, name, phase, epoch, step, epochs_done, value, now)
            for name, value in values.items()
            if value is not None
        ],
    )
