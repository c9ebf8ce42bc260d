"""SQLite as several threads and processes share it: one connection per thread, short write transactions."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ballad.errors import RunError
from ballad.store.schema import migrate

BUSY_TIMEOUT_SECONDS = 30.0


SENTENCES: dict[int | None, str] = {
    sqlite3.SQLITE_BUSY: "The store {path} has been locked by another process for {seconds:.0f} s; try again later.",
    sqlite3.SQLITE_READONLY: "The store {path} is read-only, so nothing can be queued, run or changed here.",
    sqlite3.SQLITE_FULL: "The disk that holds {path} is full; free some space, then try again.",
}


class StoreTrouble(RunError, sqlite3.OperationalError):
    """The store is locked, read-only, or on a full disk: a sentence for people, SQLite's error for those who wait."""


class Database:
    """A file of the current schema, created when missing; one in a place that cannot be written is only read.

    Raises RunError if the file cannot be opened, is not a store, or comes from a later release; and StoreTrouble.
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
        with self._trouble_in_words():
            return self.connection().execute(sql, values).fetchall()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its start, committed at the end or rolled back whole."""
        db = self.connection()
        with self._trouble_in_words():
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                # SQLite itself has rolled back after some errors, a full disk among them.
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def _trouble_in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            sentence = SENTENCES.get(_kind(error))
            if sentence is None or isinstance(error, StoreTrouble):
                raise
            raise StoreTrouble(sentence.format(path=self.path, seconds=BUSY_TIMEOUT_SECONDS)) from error

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
            with self._trouble_in_words():
                _use_wal(db)
                db.execute("PRAGMA synchronous = NORMAL")
                db.execute("PRAGMA foreign_keys = ON")
                migrate(db, self.path)
        except sqlite3.Error as error:
            if _kind(error) in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN) and self.path.exists():
                return self._connect_to_read()
            if isinstance(error, StoreTrouble):
                raise
            raise RunError(f"The store {self.path} cannot be used: {error}.") from None
        return db

    def _connect_to_read(self) -> sqlite3.Connection:
        """Without a file beside it, which SQLite cannot write here, the store holds all there is."""
        whole = not self.path.with_name(f"{self.path.name}-wal").exists()
        address = f"{self.path.absolute().as_uri()}?mode=ro{'&immutable=1' * whole}"
        try:
            db = sqlite3.connect(
                address, uri=True, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
            )
            db.row_factory = sqlite3.Row
            migrate(db, self.path)
        except sqlite3.Error as error:
            raise RunError(f"The store {self.path} cannot be read: {error}.") from None
        return db


def _kind(error: BaseException | None) -> int | None:
    """SQLite's code for an error, without what it adds for special cases."""
    if isinstance(error, StoreTrouble):
        error = error.__cause__
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


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
