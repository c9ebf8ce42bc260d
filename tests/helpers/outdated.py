"""Runs of another release."""

import json

from ballad.home import run_dir
from ballad.stages.file_names import PLAN
from ballad.store.run_store import RunStore


def outdate(store: RunStore, run_id: str) -> None:
    """Give a run a setting that this release does not know, in the store and in its folder."""
    settings = json.loads(store.get(run_id).settings)
    settings["phase_b"]["gamma"] = 1.0
    store.database.connection().execute("UPDATE runs SET settings = ? WHERE id = ?", (json.dumps(settings), run_id))
    path = run_dir(store.home, run_id) / PLAN
    if path.exists():
        path.write_text(json.dumps({**json.loads(path.read_text()), "experiment": settings}))
