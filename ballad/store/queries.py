"""What pages and the shell read from the store, as tidy DataFrames.

Times are UTC timestamps, accuracies percentages (NaN for an empty shot group). An empty answer has all its columns.
"""

import json
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import pandas as pd

from ballad.experiment import Experiment
from ballad.shot_groups import GROUPS
from ballad.store.run import STATUSES
from ballad.store.run_store import RunStore


def runs(
    store: RunStore,
    *,
    run_ids: Sequence[str] | None = None,
    statuses: Sequence[str] | None = None,
    group_id: str | None = None,
    tag: str | None = None,
    deleted: bool = False,
    changed_after: int | None = None,
) -> pd.DataFrame:
    """One row per run, the newest first; with ``changed_after`` only those that changed since the store's
    :meth:`~ballad.store.run_store.RunStore.version` was that number.

    Columns: id, name, status, dataset, backbone, schedule, seed, budget, key, group_id, group, tags (list), notes,
    executor, requested_device, device, created, started, finished, seconds (so far, in all attempts),
    attempts, cancel_requested, error, started_by; the final model's test accuracies many, medium, few, all, and
    whether its training diverged; and where a run stands in its latest attempt: phase, epoch, epochs, step, steps,
    loss, images_per_second, eta_seconds (of the phase), device_memory_bytes.
    """
    conditions = ["(r.deleted IS NOT NULL) = ?"]
    values: list[object] = [time.time(), deleted]
    if changed_after is not None:
        conditions.append("r.changed > ?")
        values.append(changed_after)
    for column, chosen in (("id", run_ids), ("status", statuses)):
        if chosen is not None:
            conditions.append(f"r.{column} IN ({_marks(chosen)})")
            values += chosen
    if group_id is not None:
        conditions.append("r.group_id = ?")
        values.append(group_id)
    if tag is not None:
        conditions.append("EXISTS (SELECT 1 FROM json_each(r.tags) WHERE value = ?)")
        values.append(tag)
    table = _frame(
        store,
        f"""
        SELECT r.id, r.name, r.status, r.dataset, r.backbone, r.schedule, r.seed, r.budget, r.key, r.group_id,
            g.name AS "group", r.tags, r.notes, r.executor, r.requested_device, r.device,
            r.created, r.started, r.finished,
            r.seconds + iif(r.status = 'running', max(0, ? - r.started), 0) AS seconds,
            r.attempts, r.cancel_requested, r.error, r.started_by, a.many, a.medium, a.few, a."all",
            coalesce(a.diverged, 0) AS diverged,
            p.phase, p.epoch, p.epochs, p.step, p.steps, p.loss, p.images_per_second, p.eta_seconds,
            p.device_memory_bytes
        FROM runs r
        LEFT JOIN groups g ON g.id = r.group_id
        LEFT JOIN results a ON a.run_id = r.id AND a.model = r.final_model AND a.split = 'test'
        LEFT JOIN progress p ON p.run_id = r.id AND p.time >= r.started AND r.status != 'queued'
        WHERE {" AND ".join(conditions)}
        ORDER BY r.id DESC
        """,
        *values,
        times=["created", "started", "finished"],
        numbers=["seconds", *GROUPS, "loss", "images_per_second", "eta_seconds", "device_memory_bytes"],
        texts=["group_id", "group", "device", "error", "started_by", "phase"],
    )
    table["tags"] = [json.loads(tags) for tags in table["tags"]]
    for flag in ("cancel_requested", "diverged"):
        table[flag] = table[flag].astype(bool)
    return table.astype(dict.fromkeys(("epoch", "epochs", "step", "steps"), "Int64"))


def run_ids(store: RunStore) -> list[str]:
    """The ids of all runs but the deleted ones."""
    return [row["id"] for row in store.database.read("SELECT id FROM runs WHERE deleted IS NULL")]


def settings(store: RunStore, run_ids: Sequence[str]) -> pd.DataFrame:
    """The settings of these runs: one row per run (index: id, in the order given), one column per dotted field.

    A setting that a run's release did not have yet stands at its default, which is what that release did.
    """
    rows = store.database.read(f"SELECT id, settings FROM runs WHERE id IN ({_marks(run_ids)})", *run_ids)
    defaults = Experiment().flat()
    flat = {row["id"]: {**defaults, **_flatten(json.loads(row["settings"]))} for row in rows}
    known = [run_id for run_id in run_ids if run_id in flat]
    return pd.DataFrame([flat[run_id] for run_id in known], index=pd.Index(known, name="id"), dtype=object)


def different_settings(store: RunStore, run_ids: Sequence[str]) -> pd.DataFrame:
    """As :func:`settings`, with only the columns in which the runs differ."""
    table = settings(store, run_ids)
    return table[[column for column in table if len(set(map(repr, table[column]))) > 1]]


def epoch_metrics(store: RunStore, run_ids: Sequence[str], names: Sequence[str] | None = None) -> pd.DataFrame:
    """What was measured at the end of epochs: accuracies on validation (many, medium, few, all), loss, learning_rate.

    Columns: run_id, phase, epoch, name, value, time; by run, name, phase and epoch.
    """
    chosen, values = _chosen(run_ids, names)
    return _frame(
        store,
        "SELECT run_id, phase, epoch, name, value, time FROM metrics INDEXED BY epoch_metrics"
        f" WHERE step = 0 AND {chosen} ORDER BY run_id, name, phase, epoch",
        *values,
        times=["time"],
        numbers=["value"],
    )


def step_metrics(
    store: RunStore, run_ids: Sequence[str], names: Sequence[str] | None = None, *, points: int = 1000
) -> pd.DataFrame:
    """What was measured between epochs: loss, learning_rate, images_per_second.

    Columns: run_id, phase, epoch, step, epochs_done (2.5 is halfway through the third), name, value, time; by run,
    name, phase and step. A curve with more than ``points`` points per phase is thinned evenly.
    """
    chosen, values = _chosen(run_ids, names)
    return _frame(
        store,
        "SELECT run_id, phase, epoch, step, epochs_done, name, value, time FROM metrics"
        f" WHERE step > 0 AND {chosen} ORDER BY run_id, name, phase, epoch, step",
        *values,
        thin=lambda rows: _thin_curves(rows, points),
        times=["time"],
        numbers=["epochs_done", "value"],
    )


def sparklines(store: RunStore, run_ids: Sequence[str], name: str = "all", *, points: int = 20) -> pd.Series:
    """One metric over the epochs of all phases in a few points per run: a Series of lists by run id.

    Thinned evenly, the last epoch kept, rounded to three decimals; runs without that metric are absent.
    """
    rows = store.database.read(
        # Whole thousandths: SQLite writes them much faster than fractions.
        "SELECT run_id, group_concat(CAST(round(value * 1000) AS INTEGER)) AS curve FROM"
        " (SELECT run_id, value FROM metrics INDEXED BY epoch_metrics"
        f" WHERE step = 0 AND name = ? AND run_id IN ({_marks(run_ids)}) ORDER BY run_id, phase, epoch)"
        " GROUP BY run_id",
        name,
        *run_ids,
    )
    curves = {
        row["run_id"]: [int(thousandths) / 1000 for thousandths in _thin(row["curve"].split(","), points)]
        for row in rows
        if row["curve"]
    }
    return pd.Series(curves, name=name, dtype=object).rename_axis("run_id")


def results(store: RunStore, run_ids: Sequence[str], *, split: str | None = None) -> pd.DataFrame:
    """Accuracies of finished models. Columns: run_id, model, split, many, medium, few, all."""
    only, values = ("AND split = ?", [split]) if split else ("", [])
    return _frame(
        store,
        f"SELECT * FROM results WHERE run_id IN ({_marks(run_ids)}) {only} ORDER BY run_id, split, model",
        *run_ids,
        *values,
        numbers=GROUPS,
    )


def progress(store: RunStore) -> pd.DataFrame:
    """Where the running runs stand.

    Columns: run_id, name, device, phase, epoch, epochs, step, steps, loss, learning_rate, images_per_second,
    eta_seconds (of the phase), device_memory_bytes, time; phase and what follows are empty before the first step.
    """
    numbers = ["loss", "learning_rate", "images_per_second", "eta_seconds", "device_memory_bytes"]
    table = _frame(
        store,
        "SELECT r.id AS run_id, r.name, r.device, p.phase, p.epoch, p.epochs, p.step, p.steps, p.loss,"
        " p.learning_rate, p.images_per_second, p.eta_seconds, p.device_memory_bytes, p.time"
        " FROM runs r LEFT JOIN progress p ON p.run_id = r.id AND p.time >= r.started"
        " WHERE r.status = 'running' ORDER BY r.id",
        times=["time"],
        numbers=numbers,
        texts=["phase"],
    )
    return table.astype(dict.fromkeys(("epoch", "epochs", "step", "steps"), "Int64"))


def log(store: RunStore, run_id: str, *, after: int = 0, limit: int = 1000) -> pd.DataFrame:
    """The last ``limit`` lines of a run's log with ids beyond ``after``, the oldest first.

    Columns: id, time, level (info, notice, error or traceback), text.
    """
    return _frame(
        store,
        "SELECT * FROM (SELECT id, time, level, text FROM log WHERE run_id = ? AND id > ? ORDER BY id DESC LIMIT ?)"
        " ORDER BY id",
        run_id,
        after,
        limit,
        times=["time"],
    )


def run_stages(store: RunStore, run_id: str | None = None) -> pd.DataFrame:
    """The stages that a run, or every run, has used, in order of time.

    Columns: run_id, stage, key, started, finished, seconds, reused (true, false, or empty while it computes).
    """
    only, values = ("WHERE run_id = ?", [run_id]) if run_id else ("", [])
    table = _frame(
        store,
        "SELECT run_id, stage, key, started, finished, seconds, reused FROM run_stages"
        f" {only} ORDER BY coalesce(finished, started)",
        *values,
        times=["started", "finished"],
        numbers=["seconds"],
    )
    return table.astype({"reused": "boolean"})


def groups(store: RunStore) -> pd.DataFrame:
    """One row per group with runs, the newest first: how many there are, and how many in each status.

    Columns: id, name, definition (dict), created, runs, and one for each status.
    """
    counts = ", ".join(f"sum(r.status = '{status}') AS {status}" for status in STATUSES)
    table = _frame(
        store,
        f"SELECT g.id, g.name, g.definition, g.created, count(*) AS runs, {counts} FROM groups g"
        " JOIN runs r ON r.group_id = g.id WHERE r.deleted IS NULL GROUP BY g.id ORDER BY g.id DESC",
        times=["created"],
    )
    table["definition"] = [json.loads(definition) for definition in table["definition"]]
    return table


def tags(store: RunStore) -> list[str]:
    """All tags in use, in alphabetical order."""
    rows = store.database.read(
        "SELECT DISTINCT value FROM runs, json_each(runs.tags) WHERE deleted IS NULL ORDER BY value COLLATE NOCASE"
    )
    return [row["value"] for row in rows]


def throughput(store: RunStore) -> pd.DataFrame:
    """Measured speed. Columns: phase, backbone, device, images_per_second (median over runs), runs.

    The phase is that of the progress, and ``fresh features`` for Phase B on them.
    """
    measured = _frame(
        store, "SELECT phase, backbone, device, images_per_second FROM throughput", numbers=["images_per_second"]
    )
    by_place = measured.groupby(["phase", "backbone", "device"])["images_per_second"]
    return by_place.agg(images_per_second="median", runs="size").reset_index()


def _chosen(run_ids: Sequence[str], names: Sequence[str] | None) -> tuple[str, list[str]]:
    condition, values = f"run_id IN ({_marks(run_ids)})", list(run_ids)
    if names is not None:
        condition += f" AND name IN ({_marks(names)})"
        values += names
    return condition, values


def _frame(
    store: RunStore,
    sql: str,
    *values: object,
    thin: Callable[[list[tuple]], list[tuple]] | None = None,
    times: Sequence[str] = (),
    numbers: Sequence[str] = (),
    texts: Sequence[str] = (),
) -> pd.DataFrame:
    cursor = store.database.connection().cursor()
    cursor.row_factory = None  # plain tuples
    rows = cursor.execute(sql, values).fetchall()
    table = pd.DataFrame.from_records(
        thin(rows) if thin else rows, columns=[column[0] for column in cursor.description]
    )
    # Columns without any value have no type of their own.
    for column in numbers:
        table[column] = table[column].astype(float)
    for column in texts:
        table[column] = table[column].astype("str")
    for column in times:
        table[column] = pd.to_datetime(table[column].astype(float), unit="s", utc=True).dt.as_unit("ns")
    return table


def _thin_curves(rows: list[tuple], points: int) -> list[tuple]:
    """Rows of several curves that follow each other: run_id, phase, …, name, value, time."""
    curves = groupby(rows, key=lambda row: (row[0], row[5], row[1]))
    return [row for _, curve in curves for row in _thin(list(curve), points)]


def _thin(curve: list[Any], points: int) -> list[Any]:
    """At most ``points`` of a curve's points, evenly spaced, with its last."""
    stride = 1 + (len(curve) - 1) // points
    return curve[(len(curve) - 1) % stride :: stride]


def _flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        flat |= _flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def _marks(values: Sequence[object]) -> str:
    # SQLite finds no plan for an indexed IN () without values.
    return ", ".join("?" * len(values)) or "NULL"
