"""The shell: ``python -m ballad COMMAND``.

Exit codes: 0 done, 1 failed, 2 bad settings or data, 130 cancelled. A sentence on stderr says why a command ended
early; with ``--json``, ``{"error": sentence, "code": 2}`` on stdout says it too.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence

from ballad.cli import ablate, backbones, dashboard, datasets, doctor, jobs, leaderboard, results, run, stages
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
        return _ended(options, str(error), BAD_INPUT)
    except UnicodeEncodeError as error:
        return _ended(options, f"'{ascii(error.object)[1:-1]:.200}' is not UTF-8 text.", BAD_INPUT)
    except (Cancelled, KeyboardInterrupt):
        sentence = "Cancelled. Finished work is kept; run the same command again to continue."
        return _ended(options, sentence, CANCELLED)
    except BrokenPipeError:
        # The reader of our output has gone; nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _ended(options: argparse.Namespace, sentence: str, code: int) -> int:
    """Say why a command ended early: to people on stderr, and with ``--json`` also to programs on stdout."""
    print(sentence, file=sys.stderr)
    if getattr(options, "json", False):
        print(json.dumps({"error": sentence, "code": code}))
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ballad",
        description="BALLAD: adapt a vision-language model to a long-tailed image set, in two phases.",
    )
    parser.add_argument("--version", action="version", version=f"ballad {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in (run, dashboard, datasets, backbones, doctor, results, jobs, ablate, leaderboard, stages):
        module.add_commands(commands)
    return parser
