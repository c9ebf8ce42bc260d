"""Decode batches ahead of the training step, in threads or in processes of their own."""

import math
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor

from ballad.data.epoch_views import EpochViews, Pixels
from ballad.errors import DataError
from ballad.package import interpreter_environment

BATCHES_AHEAD = 2
"""Batches that threads prepare while the training step runs."""
MOST_THREADS = 8
"""Beyond this the threads wait for the interpreter more than they decode; processes go further."""

DECODED, FAILED = b"P", b"E"
"""First byte of a decoding process's answer: pixels follow, or a sentence."""


def decode_in_threads(views: EpochViews, numbers: range, ahead: int = BATCHES_AHEAD) -> Generator[Pixels, None, None]:
    """The batches ``numbers`` in order; ``ahead`` of them are prepared while one is used.

    Pillow lets other threads run while it decodes and resizes.
    """
    threads = min(available_cores(), MOST_THREADS)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")

    def start(number: int) -> Callable[[], Pixels]:
        pixels = views.empty(number)
        share = max(1, math.ceil(len(pixels) / threads))
        places = [range(first, min(first + share, len(pixels))) for first in range(0, len(pixels), share)]
        return _when_done(pixels, [pool.submit(views.write, number, part, pixels) for part in places])

    try:
        yield from _in_order(numbers, start, ahead)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def decode_in_processes(views: EpochViews, numbers: range, workers: int) -> Generator[Pixels, None, None]:
    """The batches ``numbers`` in order, each decoded whole by one of ``workers`` processes.

    They are plain subprocesses of :mod:`ballad.data.decode_worker`: multiprocessing would run the caller's main script
    again in each of them, and a forked child could inherit a lock that another thread holds.
    """
    workers = min(workers, len(numbers))
    processes = [_start_process(views, numbers[first::workers]) for first in range(workers)]
    pool = ThreadPoolExecutor(max(workers, 1), thread_name_prefix="decode")

    def start(number: int) -> Callable[[], Pixels]:
        pixels = views.empty(number)
        process = processes[(number - numbers.start) % workers]
        return _when_done(pixels, [pool.submit(_receive, process, pixels)])

    try:
        yield from _in_order(numbers, start, workers)
    finally:
        for process in processes:
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)
        for process in processes:
            process.communicate()


def available_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_order(
    numbers: range, start: Callable[[int], Callable[[], Pixels]], ahead: int
) -> Generator[Pixels, None, None]:
    if ahead == 0:
        yield from (start(number)() for number in numbers)
        return
    pending = deque(start(number) for number in numbers[:ahead])
    for number in numbers:
        pixels = pending.popleft()()
        if number + ahead < numbers.stop:
            pending.append(start(number + ahead))
        yield pixels


def _when_done(pixels: Pixels, parts: list[Future[None]]) -> Callable[[], Pixels]:
    def wait() -> Pixels:
        for part in parts:
            part.result()
        return pixels

    return wait


def _start_process(views: EpochViews, numbers: range) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "ballad.data.decode_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=interpreter_environment(),
    )
    assert process.stdin is not None
    pickle.dump((views, numbers), process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
    process.stdin.flush()
    return process


def _receive(process: subprocess.Popen[bytes], pixels: Pixels) -> None:
    assert process.stdout is not None
    answer = process.stdout.read(1)
    if answer == FAILED:
        raise DataError(process.stdout.read().decode())
    rest = pixels.data.cast("B")
    while answer and (received := process.stdout.readinto(rest)):  # type: ignore[attr-defined]
        rest = rest[received:]
    if not answer or len(rest):
        raise RuntimeError(f"a decoding process ended before its batch was whole (exit code {process.poll()})")
