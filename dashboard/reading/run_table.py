"""All runs as pages show them, kept for all sessions: after a change, only the runs that changed are read."""

import threading

import pandas as pd

from ballad.store import queries
from ballad.store.run_store import RunStore


class RunTable:
    """The rows of :func:`ballad.store.queries.runs`, with ``label`` and ``sparkline``.

    A run in training changes the store twice a second, while the other runs stay as they are.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._version = -1
        self._table = pd.DataFrame()
        self._one_at_a_time = threading.Lock()

    def current(self) -> pd.DataFrame:
        """The table as the store is now; what a caller changes in it stays the caller's."""
        with self._one_at_a_time:
            version = self._store.version()
            if version != self._version:
                # What changes from here on has a later version, and is read again.
                self._table = self._updated()
                self._version = version
            return self._table.copy(deep=False)

    def _updated(self) -> pd.DataFrame:
        changed = _with_labels(self._store, queries.runs(self._store, changed_after=self._version))
        if self._table.empty:
            return changed
        # A run that was removed for good leaves no row that says so.
        there = set(queries.run_ids(self._store)) - set(changed["id"])
        kept = self._table[[run_id in there for run_id in self._table["id"]]]
        if changed.empty or kept.empty:
            return (kept if changed.empty else changed).reset_index(drop=True)
        return pd.concat([changed, kept]).sort_values("id", ascending=False, ignore_index=True)


def run_label(name: str, run_id: str) -> str:
    """``λ sweep 0.2 · mg3x1k2a``: the name is for people, the id tells apart runs of one name."""
    return f"{name or 'unnamed'} · {run_id}"


def _with_labels(store: RunStore, runs: pd.DataFrame) -> pd.DataFrame:
    ids = runs["id"].tolist()
    curves = queries.sparklines(store, ids)
    labels = [run_label(name, run_id) for name, run_id in zip(runs["name"], ids, strict=True)]
    return runs.assign(label=labels, sparkline=[curves.get(run_id, []) for run_id in ids])
