"""The tables of the store, and how an older store becomes a current one.

``PRAGMA user_version`` counts the migrations a store has seen. A change to the tables is a new entry
at the end of ``MIGRATIONS``; entries that were released are never edited.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from ballad.errors import RunError

FIRST_RELEASE = """
-- Counts the changes that a page could show; see RunStore.version.
CREATE TABLE counter (value INTEGER NOT NULL);
INSERT INTO counter VALUES (0);

CREATE TABLE groups (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    definition TEXT NOT NULL,          -- JSON: what the group was made from, such as a sweep's base and grid
    created REAL NOT NULL              -- all times are seconds since 1970, UTC
);

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,            -- JSON of the Experiment
    key TEXT NOT NULL,                 -- Experiment.key
    dataset TEXT NOT NULL,
    backbone TEXT NOT NULL,
    schedule TEXT NOT NULL,
    seed INTEGER NOT NULL,
    budget TEXT NOT NULL,
    final_model TEXT NOT NULL,         -- the model whose accuracy is the run's
    requested_device TEXT NOT NULL,    -- auto, cpu, cuda or cuda:N
    executor TEXT NOT NULL,
    priority INTEGER NOT NULL,
    group_id TEXT REFERENCES groups(id),
    tags TEXT NOT NULL,                -- JSON list
    notes TEXT NOT NULL,
    status TEXT NOT NULL,
    created REAL NOT NULL,
    started REAL,                      -- of the latest attempt
    finished REAL,
    seconds REAL NOT NULL DEFAULT 0,   -- spent in all finished attempts
    attempts INTEGER NOT NULL DEFAULT 0,
    device TEXT,
    host TEXT,
    owner TEXT,
    heartbeat REAL,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    deleted REAL,
    changed INTEGER NOT NULL DEFAULT 0 -- the counter when the run last changed
);
CREATE INDEX runs_by_status ON runs(status);
CREATE INDEX runs_by_group ON runs(group_id);

CREATE TABLE metrics (
    run_id TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    phase TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    step INTEGER NOT NULL,             -- from 1 within the epoch; 0 is the epoch as a whole
    epochs_done REAL NOT NULL,         -- 2.5 is halfway through the third epoch
    value REAL,
    time REAL NOT NULL,
    -- A resumed run repeats the steps since its checkpoint, and so replaces their rows.
    PRIMARY KEY (run_id, name, phase, epoch, step)
) WITHOUT ROWID;
CREATE INDEX epoch_metrics ON metrics(run_id, name, phase, epoch, value, time) WHERE step = 0;

CREATE TABLE progress (
    run_id TEXT PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE,
    phase TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    epochs INTEGER NOT NULL,
    step INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    loss REAL,
    learning_rate REAL,
    images_per_second REAL,
    eta_seconds REAL,
    device_memory_bytes INTEGER,
    time REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    time REAL NOT NULL,
    level TEXT NOT NULL,               -- info, notice, error or traceback
    text TEXT NOT NULL
);
CREATE INDEX log_of_run ON log(run_id, id);

CREATE TABLE run_stages (
    run_id TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    stage TEXT NOT NULL,
    key TEXT NOT NULL,
    started REAL NOT NULL,
    finished REAL,
    seconds REAL,
    reused INTEGER,
    PRIMARY KEY (run_id, stage, key)
) WITHOUT ROWID;

CREATE TABLE results (
    run_id TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    model TEXT NOT NULL,
    split TEXT NOT NULL,
    many REAL, medium REAL, few REAL, "all" REAL,   -- percent; NULL for an empty group
    PRIMARY KEY (run_id, model, split)
) WITHOUT ROWID;

-- Kept when the run is removed: it tells how long the next one will take.
CREATE TABLE throughput (
    run_id TEXT NOT NULL,
    phase TEXT NOT NULL,
    backbone TEXT NOT NULL,
    device TEXT NOT NULL,
    images_per_second REAL NOT NULL,
    time REAL NOT NULL,
    PRIMARY KEY (run_id, phase)
) WITHOUT ROWID;
"""

TASKS = """
CREATE TABLE tasks (
    id TEXT PRIMARY KEY,               -- hash of kind and arguments
    kind TEXT NOT NULL,
    arguments TEXT NOT NULL,           -- JSON
    status TEXT NOT NULL,              -- queued, running, done, failed or cancelled
    asked REAL NOT NULL,
    started REAL,
    finished REAL,
    share REAL NOT NULL DEFAULT 0,     -- of the work that is done, 0 to 1
    doing TEXT NOT NULL DEFAULT '',
    owner TEXT,
    heartbeat REAL,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    result TEXT                        -- JSON
);
CREATE INDEX tasks_by_status ON tasks(status, kind, asked);
"""

EXACT_PHASE_B = """
-- Fresh features pass through the towers, hundreds of times slower than stored ones.
UPDATE throughput SET phase = 'fresh features' WHERE phase = 'phase_b'
    AND run_id IN (SELECT id FROM runs WHERE settings ->> '$.phase_b.features' = 'exact');
"""

DIVERGED = "ALTER TABLE results ADD COLUMN diverged INTEGER NOT NULL DEFAULT 0;"

# Who was logged in; NULL without a login and for runs of a shell.
STARTED_BY = "ALTER TABLE runs ADD COLUMN started_by TEXT;"

# The same for tasks.
ASKED_BY = "ALTER TABLE tasks ADD COLUMN asked_by TEXT;"

MIGRATIONS: Sequence[str] = (FIRST_RELEASE, TASKS, EXACT_PHASE_B, DIVERGED, STARTED_BY, ASKED_BY)


def migrate(db: sqlite3.Connection, path: Path, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Bring the store at ``path`` up to date, whole or not at all.

    Raises RunError if the store was written by a later release.
    """
    if _version(db) == len(migrations):
        return
    db.execute("BEGIN EXCLUSIVE")
    try:
        # Another process may have migrated while this one waited.
        version = _version(db)
        if version > len(migrations):
            raise RunError(f"The store {path} was written by a later release of ballad; update ballad to read it.")
        for script in migrations[version:]:
            for statement in _statements(script):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(migrations)}")
        db.execute("COMMIT")
    except BaseException:
        # SQLite itself has rolled back after some errors, a full disk among them.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _version(db: sqlite3.Connection) -> int:
    return db.execute("PRAGMA user_version").fetchone()[0]


def _statements(script: str) -> list[str]:
    """Single statements, each ended by a line, because ``executescript`` would commit the transaction around it."""
    statements, statement = [], ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            statements.append(statement)
            statement = ""
    return statements
