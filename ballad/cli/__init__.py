"""The shell: ``python -m ballad COMMAND``.

Exit codes: 0 done, 1 failed, 2 bad settings or data, 130 cancelled. A sentence on stderr says why a command ended
early; with ``--json``, ``{"error": sentence, "code": 2}`` on stdout says it too.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from ballad.cli import ablate, backbones, dashboard, datasets, doctor, jobs, leaderboard, results, run, stages
from ballad.errors import BalladError, Cancelled, SettingsError
from ballad.package import VERSION

FAILED, BAD_INPUT, CANCELLED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in words
    try:
        options = _parser().parse_args(words)
        code: int | None = options.command(options)
        return code or 0
    except BalladError as error:
        return _ended(str(error), BAD_INPUT, as_json)
    except UnicodeEncodeError as error:
        return _ended(f"'{ascii(error.object)[1:-1]:.200}' is not UTF-8 text.", BAD_INPUT, as_json)
    except (Cancelled, KeyboardInterrupt):
        sentence = "Cancelled. Finished work is kept; run the same command again to continue."
        return _ended(sentence, CANCELLED, as_json)
    except BrokenPipeError:
        # The reader of our output has gone; nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _ended(sentence: str, code: int, as_json: bool) -> int:
    """Say why a command ended early: to people on stderr, and with ``--json`` also to programs on stdout."""
    print(sentence, file=sys.stderr)
    if as_json:
        print(json.dumps({"error": sentence, "code": code}))
    return code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Words that are no command end like all else that is wrong with what was asked."""
        self.print_usage(sys.stderr)
        raise SettingsError(f"{self.prog}: {message}")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="ballad",
        description="BALLAD: adapt a vision-language model to a long-tailed image set, in two phases.",
    )
    parser.add_argument("--version", action="version", version=f"ballad {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in (run, dashboard, datasets, backbones, doctor, results, jobs, ablate, leaderboard, stages):
        module.add_commands(commands)
    return parser
