"""A workbench of its own for a benchmark: on this machine only, stopped at the end."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Server:
    """Where it answers, as ``127.0.0.1:8501``, and its process."""

    host: str
    pid: int


@contextmanager
def served(home: Path) -> Iterator[Server]:
    """A server that works in ``home``, from its first answer on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py", "--server.headless", "true"]
    process = subprocess.Popen(
        [*command, "--server.port", host.rpartition(":")[2]],
        cwd=PROJECT,
        env={**os.environ, "BALLAD_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(f"http://{host}/_stcore/health"):
            if process.poll() is not None:
                raise SystemExit("The server ended before it answered.")
            time.sleep(0.02)
        yield Server(host, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=1):
            return True
    except (URLError, OSError):
        return False
