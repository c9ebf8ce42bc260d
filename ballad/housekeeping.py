"""Which stages are still needed, and the removal of those that are not."""

import shutil
from collections import defaultdict
from pathlib import Path

import pandas as pd

from ballad.data.pixel_cache import remove_unfinished
from ballad.errors import SettingsError
from ballad.home import default_home, pixels_dir, run_dir
from ballad.stages.file_names import PLAN
from ballad.stages.plan import Plan
from ballad.stages.stage_store import StageStore
from ballad.store import queries
from ballad.store.run_store import RunStore
from ballad.whole_files import REMOVED, remove_whole
from ballad.work.uploads import remove_old_uploads


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
    """Remove these stages, deleted runs and what :func:`tidy` removes; returns the bytes of the stages.

    If it is interrupted, the next call finishes the work.
    """
    home = home or default_home()
    stages, store = StageStore(home), RunStore(home)
    for kind, key in zip(unused["kind"], unused["key"], strict=True):
        stages.remove(kind, key)
    # Folders first: nobody would find the folder of a run that the store has forgotten.
    for run_id in queries.runs(store, deleted=True)["id"]:
        remove_whole(run_dir(home, run_id))
    for run_id in store.purge():
        remove_whole(run_dir(home, run_id))
    tidy(home)
    return int(unused["bytes"].sum())


def tidy(home: Path | None = None) -> None:
    """Remove what killed processes left behind, and uploads that nobody has used for a month."""
    home = home or default_home()
    StageStore(home).remove_leftovers()
    for folder in run_dir(home, "").glob(f"*{REMOVED}"):
        shutil.rmtree(folder, ignore_errors=True)
    remove_unfinished(pixels_dir(home))
    remove_old_uploads(home)


def _users(home: Path) -> dict[tuple[str, str], list[str]]:
    """Runs by the stages they are planned to consist of: a run that was cut off still needs what it has."""
    users = defaultdict(list)
    store = RunStore(home)
    for run_id in queries.runs(store)["id"]:
        for stage in _stages(home, store, run_id):
            users[stage].append(run_id)
    return users


def _stages(home: Path, store: RunStore, run_id: str) -> list[tuple[str, str]]:
    """Kind and key of each stage of a run: as planned, or as reported if its settings are of another release."""
    try:
        plan = Plan.read(run_dir(home, run_id) / PLAN)
    except FileNotFoundError:
        return []
    except SettingsError:
        told = queries.run_stages(store, run_id)
        return list(zip(told["stage"], told["key"], strict=True))
    return [(stage.kind, stage.key) for stage in plan.stages()]
