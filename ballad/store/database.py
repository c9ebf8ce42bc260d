"""SQLite as several threads and processes share it: one connection a thread, short write transactions."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ballad.errors import RunError
from ballad.store.schema import migrate

BUSY_TIMEOUT_SECONDS = 30.0


class Database:
    """A file of the current schema, created when missing.

    Raises RunError if the file cannot be opened, is no store, or comes from a later release.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self.connection()

    def connection(self) -> sqlite3.Connection:
        """The calling thread's own connection, in autocommit mode; rows can be read by name."""
        if not hasattr(self._local, "connection"):
            self._local.connection = self._connect()
        return self._local.connection

    def read(self, sql: str, *values: object) -> list[sqlite3.Row]:
        return self.connection().execute(sql, values).fetchall()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its start, committed at the end or rolled back whole."""
        db = self.connection()
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            # SQLite itself has rolled back after some errors, a full disk among them.
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the calling thread's connection; other threads' close when the threads end."""
        if hasattr(self._local, "connection"):
            self._local.connection.close()
            del self._local.connection

    def _connect(self) -> sqlite3.Connection:
        try:
            # A connection serves one thread, but may be collected, and so closed, in another.
            db = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
            db.row_factory = sqlite3.Row
            _use_wal(db)
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA foreign_keys = ON")
            migrate(db, self.path)
        except sqlite3.Error as error:
            raise RunError(f"The store {self.path} cannot be used: {error}.") from None
        return db


def _use_wal(db: sqlite3.Connection) -> None:
    """Switch to write-ahead logging, waiting like any writer: SQLite gives up at once on this one statement."""
    deadline = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
