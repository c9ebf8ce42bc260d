"""``leaderboard``: all methods on the same features with the same effort."""

import argparse
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from ballad.cli.ablate import check
from ballad.cli.groups import failures, finish_groups
from ballad.cli.settings import add_settings, experiment_from
from ballad.cli.tables import print_table
from ballad.shot_groups import ALL, GROUPS
from ballad.wording import counted, duration, mean_and_spread, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ballad.leaderboard.board import Board, Row
    from ballad.leaderboard.protocol import Leaderboard


def add_commands(commands: argparse._SubParsersAction) -> None:
    board = commands.add_parser("leaderboard", help="compare all methods on the same features")
    add_settings(board)
    board.add_argument("--methods", nargs="+", metavar="NAME", help="some of the methods (default: all of them)")
    board.add_argument("--towers", choices=("zero_shot", "phase_a"), default="zero_shot", help="default: zero_shot")
    board.add_argument("--seeds", type=int, default=3, metavar="N", help="seeds for every method (default: 3)")
    board.add_argument(
        "--vary", choices=("head", "run"), default="head", help="seeds of heads on one set of towers, or of whole runs"
    )
    board.add_argument("--json", action="store_true", help="print the leaderboard as one JSON object on the last line")
    board.set_defaults(command=_leaderboard)


def _leaderboard(options: argparse.Namespace) -> int:
    from ballad.home import default_home
    from ballad.leaderboard.board import Board
    from ballad.leaderboard.formats import describe, published_record, published_rows, record
    from ballad.leaderboard.protocol import NO_VALIDATION, Leaderboard, methods_on, queue_leaderboard
    from ballad.leaderboard.recommendation import recommendation
    from ballad.store.run_store import RunStore

    base = experiment_from(options)
    methods = tuple(options.methods or methods_on(options.towers))
    leaderboard = Leaderboard(base, methods, options.towers, options.seeds, options.vary)
    if check(base).val is None:
        leaderboard = replace(leaderboard, searched=False)
        print(f"{NO_VALIDATION} In the shell: --set dataset.validation_per_class=N.", file=sys.stderr)
    store = RunStore(default_home())
    group_id = queue_leaderboard(store, leaderboard)
    finish_groups(store, [group_id])
    board = Board.read(store, group_id)
    rows = board.rows()
    said = recommendation(board, rows)
    _print_board(board, rows)
    _print_grids(leaderboard, rows)
    print(said)
    failed = failures(store, [group_id])
    for failure in failed:
        print(failure, file=sys.stderr)
    if options.json:
        print(
            json.dumps(
                {
                    "group": group_id,
                    "title": describe(board),
                    "definition": leaderboard.definition()["leaderboard"],
                    "rows": [record(row) for row in rows],
                    "published": [published_record(each) for each in published_rows(leaderboard)],
                    "recommendation": str(said),
                }
            )
        )
    return 1 if failed else 0


def _print_board(board: "Board", rows: "Sequence[Row]") -> None:
    from ballad.leaderboard.board import METRICS
    from ballad.leaderboard.formats import describe, published_rows

    lines = []
    for row in rows:
        measured = [mean_and_spread(row.measured[metric].mean, row.measured[metric].sd) for metric in METRICS]
        gap = row.against_baseline.get(ALL)
        against = None if gap is None else f"{gap.difference:+.1f} [{gap.low:+.1f}, {gap.high:+.1f}]"
        seconds = duration(row.seconds) if row.seconds else None
        validation = mean_and_spread(row.validation.mean, row.validation.sd)
        lines.append([row.title, validation, *measured, against, f"{row.parameters:,}", seconds])
    for each in published_rows(board.leaderboard):
        numbers = [number(each[group]) for group in GROUPS]
        lines.append([f"{each['setting']}, {each['backbone']} (published)", None, *numbers, *[None] * 5])
    shown = ["method", "validation", *GROUPS]
    shown += ["balanced error", "ECE", "above BALLAD, all", "trained", "time"]
    print_table(f"{describe(board)}; on test, %", shown, lines, numbers=len(shown) - 1)
    print(
        "validation: all images of that split. above BALLAD: points on all test images, 95 % interval of a paired "
        "bootstrap. trained: parameters of one head. time: training all seeds and grid points, as measured when it "
        "took place."
    )


def _print_grids(leaderboard: "Leaderboard", rows: "Sequence[Row]") -> None:
    from ballad.leaderboard.formats import chosen_points, grids

    chosen = {row.title: chosen_points(row) for row in rows}
    lines = [
        [title, counted(points, "point"), values, chosen.get(title) or None]
        for title, points, values in grids(leaderboard)
    ]
    print_table("what each method tries on validation", ["method", "grid", "values", "chosen by each seed"], lines)
