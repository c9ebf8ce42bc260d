"""Claiming runs as a worker does."""

from ballad.store.owners import Owner
from ballad.store.run import Run
from ballad.store.run_store import RunStore


def claim(store: RunStore, owner: Owner, run_id: str | None = None) -> Run:
    """Claim a run that must be there."""
    run = store.claim(owner, "cpu", requests=["auto", "cpu"], run_id=run_id)
    assert run is not None
    return run
