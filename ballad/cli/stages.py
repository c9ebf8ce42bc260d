"""``stages`` and ``prune``: what is on disk, which runs use it, and what can be removed."""

import argparse
from typing import TYPE_CHECKING

from ballad.cli.tables import print_table

if TYPE_CHECKING:
    import pandas as pd


def add_commands(commands: argparse._SubParsersAction) -> None:
    stages = commands.add_parser("stages", help="list stored stages, their sizes and the runs that use them")
    stages.set_defaults(command=_stages)

    prune = commands.add_parser("prune", help="remove deleted runs and the stages that no run needs")
    prune.add_argument("--yes", action="store_true", help="remove without asking")
    prune.set_defaults(command=_prune)


def _stages(options: argparse.Namespace) -> None:
    from ballad.housekeeping import stage_table

    _print_stages("stages", stage_table())


def _prune(options: argparse.Namespace) -> None:
    from ballad.housekeeping import prune, tidy, unused_stages

    unused = unused_stages()
    if not len(unused):
        tidy()
        print("Every stage is used by a run; nothing to remove.")
        return
    _print_stages("not needed by any run", unused)
    if not options.yes and input("Remove them? [y/N] ").strip().lower() != "y":
        print("Nothing was removed.")
        return
    freed = prune(unused)
    print(f"Removed {len(unused)} stages, {megabytes(freed)}.")


def _print_stages(title: str, table: "pd.DataFrame") -> None:
    rows = [
        [row.kind, row.key, row.state, ", ".join(row.used_by) or None, megabytes(row.bytes)]
        for row in table.itertuples()
    ]
    print_table(title, ["stage", "key", "state", "used by", "size"], rows, numbers=1)
    print(f"{len(table)} stages, {megabytes(table['bytes'].sum())}")


def megabytes(size: float) -> str:
    return f"{size / 1e6:,.1f} MB"
