"""Who works on a run: which process on which machine, and whether it is still there."""

import itertools
import os
import socket
import time
from dataclasses import dataclass
from typing import Self

import psutil

from ballad.errors import RunError

BEAT_SECONDS = 5.0
"""How often an owner says that it is alive."""
SILENCE_SECONDS = 120.0
"""An owner without a heartbeat for so long is taken for dead, wherever it is."""

_serial = itertools.count()


@dataclass(frozen=True)
class Owner:
    """One worker of one process. The process's start time tells it from a later one with the same number."""

    host: str
    pid: int
    process_started: float
    serial: int

    @classmethod
    def new(cls) -> Self:
        """A worker of this process, different from all others."""
        return cls(socket.gethostname(), os.getpid(), psutil.Process().create_time(), next(_serial))

    @classmethod
    def parse(cls, text: str) -> Self:
        try:
            host, pid, started, serial = text.rsplit("/", 3)
            return cls(host, int(pid), float(started), int(serial))
        except ValueError:
            raise RunError(f"'{text}' does not name the owner of a run.") from None

    def __str__(self) -> str:
        return f"{self.host}/{self.pid}/{self.process_started!r}/{self.serial}"

    def is_gone(self, heartbeat: float) -> bool:
        """Whether the process ended (known at once on its own machine) or fell silent; ``heartbeat`` in Unix time."""
        silence = time.time() - heartbeat
        if silence > SILENCE_SECONDS:
            return True
        if self.host != socket.gethostname():
            return False
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
            # Start times shift when the clock is set, so they do not count against an owner just heard of.
            return silence > 3 * BEAT_SECONDS and abs(process.create_time() - self.process_started) > 2
        except psutil.NoSuchProcess:
            return True
