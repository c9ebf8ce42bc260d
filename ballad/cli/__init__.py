"""The shell: ``python -m ballad COMMAND``.

Exit codes: 0 done, 1 failed, 2 bad settings or data (the sentence is on stderr), 130 cancelled.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from ballad.cli import ablate, backbones, dashboard, datasets, doctor, jobs, results, run, stages
from ballad.errors import BalladError, Cancelled
from ballad.package import VERSION

FAILED, BAD_INPUT, CANCELLED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int | None = options.command(options)
        return code or 0
    except BalladError as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except (Cancelled, KeyboardInterrupt):
        print("Cancelled. What was finished is kept; the same command continues from there.", file=sys.stderr)
        return CANCELLED
    except BrokenPipeError:
        # The reader of our output has gone; nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ballad",
        description="BALLAD: adapt a vision-language model to a long-tailed image set, in two phases.",
    )
    parser.add_argument("--version", action="version", version=f"ballad {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in (run, dashboard, datasets, backbones, doctor, results, jobs, ablate, stages):
        module.add_commands(commands)
    return parser
