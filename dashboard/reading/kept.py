"""What was read from files, kept for all sessions up to a number of bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import pandas as pd

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The values that were asked for last, at most ``limit`` bytes together; ``size_of`` tells the bytes of one.

    Values are shared between threads: take them, do not change them.
    """

    def __init__(self, limit: int, size_of: Callable[[Value], int]) -> None:
        self._limit = limit
        self._size_of = size_of
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, read: Callable[[], Value]) -> Value:
        """The value of this key, which ``read`` gives where it is not kept; one above the limit is never kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
        # Others may read meanwhile; two that read the same leave one of it behind.
        value = read()
        size = self._size_of(value)
        with self._lock:
            if key not in self._values and size <= self._limit:
                self._values[key] = (value, size)
                self._bytes += size
            while self._bytes > self._limit:
                _, (_, size) = self._values.popitem(last=False)
                self._bytes -= size
        return value


def table_bytes(table: pd.DataFrame) -> int:
    """The memory of a table, its texts included."""
    return int(table.memory_usage(deep=True).sum())
