"""A store that is locked, or lies where nothing can be written."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ballad.errors import RunError
from ballad.experiment import Experiment
from ballad.store import database, queries
from ballad.store.database import StoreTrouble
from ballad.store.run_store import RunStore

NOBODY = 65534


def as_nobody(action: Callable[[], object]) -> str:
    """What ``action`` gives, or the error it ends in, in a process that may read files of others and write none."""
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else")
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.setuid(NOBODY)
        try:
            answer = str(action())
        except Exception as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with open(reading, encoding="utf-8") as file:
        return file.read()


@pytest.fixture
def read_only(tmp_path: Path) -> Path:
    """The home of one run, where others may only read."""
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if folder.name.startswith(("pytest-", "popen-", tmp_path.name)):
            folder.chmod(0o755)
    return tmp_path


def test_a_store_that_cannot_be_written_is_read(read_only):
    store = RunStore(read_only)
    run_id = store.create(Experiment())
    store.database.close()
    assert as_nobody(lambda: queries.runs(RunStore(read_only))["id"].tolist()) == f"['{run_id}']"
    refused = as_nobody(lambda: RunStore(read_only).create(Experiment()))
    path = read_only / "store.sqlite"
    assert refused == f"StoreTrouble: The store {path} is read-only, so nothing can be queued, run or changed here."


def test_a_store_that_others_write_at_the_moment_is_read_too(read_only):
    store = RunStore(read_only)
    run_id = store.create(Experiment())
    assert as_nobody(lambda: queries.runs(RunStore(read_only))["id"].tolist()) == f"['{run_id}']"


def test_a_store_that_stays_locked_is_said_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "BUSY_TIMEOUT_SECONDS", 0.05)
    store = RunStore(tmp_path)
    other = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(RunError, match=r"store\.sqlite has been locked by another process for 0 s; try again later"):
        store.create(Experiment())
    # Workers wait for better times after any error of SQLite.
    with pytest.raises(sqlite3.Error):
        store.create(Experiment())
    other.execute("COMMIT")
    assert store.create(Experiment())


def test_a_full_disk_is_said_in_a_sentence_and_nothing_is_half_written(tmp_path):
    store = RunStore(tmp_path)
    kept = store.create(Experiment())
    db = store.database.connection()
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(StoreTrouble, match=r"The disk that holds .*store\.sqlite is full; free some space"):
        for _ in range(100):
            store.log(kept, "info", "x" * 10_000)
    assert store.get(kept).id == kept and not db.in_transaction
