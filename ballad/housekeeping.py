"""Which stages are still needed, and the removal of those that are not."""

import shutil
from collections import defaultdict
from pathlib import Path

import pandas as pd

from ballad.home import default_home, run_dir
from ballad.stages.plan import Plan
from ballad.stages.stage_store import StageStore
from ballad.store import queries
from ballad.store.run_store import RunStore


def stage_table(home: Path | None = None) -> pd.DataFrame:
    """All stages with ``used_by``, the ids of the runs that need each.

    Columns: kind, key, state, bytes, seconds, created, device, used_by.
    """
    home = home or default_home()
    users = _users(home)
    table = StageStore(home).table()
    stages = zip(table["kind"], table["key"], strict=True)
    return table.assign(used_by=pd.Series([users.get(stage, []) for stage in stages], dtype=object))


def unused_stages(home: Path | None = None) -> pd.DataFrame:
    """The stages that no kept run needs; deleted runs do not count. Columns as :func:`stage_table`."""
    table = stage_table(home)
    return table[table["used_by"].map(len) == 0]


def prune(unused: pd.DataFrame, home: Path | None = None) -> int:
    """Remove these stages and what deleted runs left; returns the bytes that were freed."""
    home = home or default_home()
    stages = StageStore(home)
    for kind, key in zip(unused["kind"], unused["key"], strict=True):
        stages.remove(kind, key)
    for run_id in RunStore(home).purge():
        shutil.rmtree(run_dir(home, run_id), ignore_errors=True)
    return int(unused["bytes"].sum())


def _users(home: Path) -> dict[tuple[str, str], list[str]]:
    """Runs by the stages they are planned to consist of: a run that was cut off still needs what it has."""
    users = defaultdict(list)
    for run_id in queries.runs(RunStore(home))["id"]:
        try:
            plan = Plan.read(run_dir(home, run_id) / "plan.json")
        except FileNotFoundError:
            continue
        for stage in plan.stages():
            users[stage.kind, stage.key].append(run_id)
    return users
