from pathlib import Path

import pytest

from ballad.runs.owners import Owner
from ballad.runs.run import Run
from ballad.runs.store import RunStore


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "home")


@pytest.fixture
def owner() -> Owner:
    return Owner.new()


def claim(store: RunStore, owner: Owner, run_id: str | None = None) -> Run:
    """Claim a run that must be there."""
    run = store.claim(owner, "cpu", requests=["auto", "cpu"], run_id=run_id)
    assert run is not None
    return run
