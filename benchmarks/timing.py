"""What the benchmarks share: their arguments, interleaved timing, and how results are written."""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

Figures = Mapping[str, object]
"""Results by name: numbers, or lists and mappings of them."""


def argument_parser(description: str | None) -> argparse.ArgumentParser:
    """The arguments that every benchmark takes."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--json", action="store_true", help="end with all figures as one JSON object in the last line")
    parser.add_argument("--quick", action="store_true", help="smaller: ends within 45 seconds on 2 cores")
    return parser


def seconds_of(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def interleaved(first: Callable[[], object], second: Callable[[], object], *, rounds: int) -> tuple[list[float], ...]:
    """Seconds of both in the order A B A B …, so that whatever else the machine does meets both alike."""
    times = [(seconds_of(first), seconds_of(second)) for _ in range(rounds)]
    return [a for a, _ in times], [b for _, b in times]


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """The median of the ratios of neighbouring measurements."""
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))


def report(figures: Figures, *, as_json: bool) -> None:
    """Print the figures, one per line; with ``as_json`` also as JSON in the last line."""
    for name, value in figures.items():
        print(f"{name:28} {value:.4g}" if isinstance(value, float) else f"{name:28} {value}")
    if as_json:
        print(json.dumps(figures))
