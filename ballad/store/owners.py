"""Who is working on a run: which process on which machine, and whether it is still alive."""

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
"""An owner without a heartbeat for this long is taken for dead."""

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
        """Whether the process has ended, or on another machine has fallen silent; ``heartbeat`` in Unix time.

        A process that lives on this machine is believed, whatever its clock or ours says.
        """
        silence = time.time() - heartbeat
        if self.host != socket.gethostname():
            return silence > SILENCE_SECONDS
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
            shift = process.create_time() - self.process_started
        except psutil.NoSuchProcess:
            return True
        if abs(shift) <= 2:
            return False
        # Another process has taken the number, unless the clock was set: that shifts start times and silence alike,
        # and start times alone once the owner has been heard again.
        return silence > 3 * BEAT_SECONDS and abs(silence - shift) > 3 * BEAT_SECONDS


class Watch:
    """Tells for this process which owners are gone, also those that are stuck in a process that lives on.

    Their heartbeats stand still; how long is measured on a clock that nobody sets.
    """

    def __init__(self) -> None:
        self._heard: dict[Owner, tuple[float, float]] = {}

    def is_gone(self, owner: Owner, heartbeat: float) -> bool:
        """As :meth:`Owner.is_gone`, or silent for ``SILENCE_SECONDS`` since this was first asked."""
        now = time.monotonic()
        last, since = self._heard.get(owner, (heartbeat, now))
        if last != heartbeat:
            since = now
        self._heard[owner] = (heartbeat, since)
        return now - since > SILENCE_SECONDS or owner.is_gone(heartbeat)
