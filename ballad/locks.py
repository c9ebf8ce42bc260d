"""One at a time: lock files that threads and processes take in turns."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

SECONDS_BETWEEN_LOOKS = 0.2


@contextmanager
def exclusive(path: Path, while_waiting: Callable[[], object]) -> Iterator[None]:
    """Hold the lock file ``path``, in a folder that exists; it is there only as long as it is held.

    A second caller waits, and now and then calls ``while_waiting``, which may raise to give up. Raises OSError
    where the file cannot be written.
    """
    lock = FileLock(path, thread_local=False)
    while True:
        try:
            lock.acquire(timeout=SECONDS_BETWEEN_LOOKS)
            break
        except Timeout:
            while_waiting()
    try:
        yield
    finally:
        # A process that waits with this file open sees that it has no name any more, and takes the next.
        path.unlink(missing_ok=True)
        lock.release()


@contextmanager
def exclusive_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock file ``path`` as :func:`exclusive` if nobody else does; gives whether it is held."""
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        path.unlink(missing_ok=True)
        lock.release()
