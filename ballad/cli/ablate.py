"""``ablate`` and ``paper``: the paper's tables and figures, measured here, and the published numbers."""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ballad.cli.groups import failures, finish_groups
from ballad.cli.settings import add_executor, add_settings, experiment_from
from ballad.cli.tables import print_table
from ballad.experiment import Experiment
from ballad.paper.presets import PRESETS, find_preset
from ballad.shot_groups import GROUPS

if TYPE_CHECKING:
    import pandas as pd

    from ballad.data.long_tail import LongTailDataset
    from ballad.paper.ablations import Ablation


def add_commands(commands: argparse._SubParsersAction) -> None:
    ablate = commands.add_parser("ablate", help="run one of the paper's tables or figures, or all of them")
    names = ("all", *PRESETS)
    ablate.add_argument("preset", metavar="NAME", choices=names, help=f"one of {', '.join(names)}")
    add_settings(ablate)
    add_executor(ablate)
    ablate.add_argument("--seeds", type=int, default=1, metavar="N", help="seeds for every setting (default: 1)")
    ablate.add_argument("--json", action="store_true", help="print the table as JSON records on the last line")
    ablate.set_defaults(command=_ablate)

    paper = commands.add_parser("paper", help="print the numbers that the paper publishes")
    paper.add_argument("--table", help="table1 … table10, figure4 or figure5 (default: all)")
    paper.add_argument("--csv", action="store_true", help="as CSV, for a spreadsheet or a program")
    paper.set_defaults(command=_paper)


def _ablate(options: argparse.Namespace) -> int:
    from ballad.home import default_home
    from ballad.paper.ablations import Ablation, queue_ablation
    from ballad.paper.formats import ablation_records
    from ballad.store.run_store import RunStore

    base = experiment_from(options)
    check(base)
    presets = list(PRESETS.values()) if options.preset == "all" else [find_preset(options.preset)]
    store = RunStore(default_home())
    groups = [queue_ablation(store, preset, base, options.seeds, executor=options.executor) for preset in presets]
    finish_groups(store, groups)
    ablations = [Ablation.read(store, group_id) for group_id in groups]
    for ablation in ablations:
        _print_ablation(ablation)
    failed = failures(store, groups)
    for failure in failed:
        print(failure, file=sys.stderr)
    if options.json:
        print(json.dumps([record for ablation in ablations for record in ablation_records(ablation)]))
    return 1 if failed else 0


def check(base: Experiment) -> "LongTailDataset":
    """The dataset, checked first for what would stop every run: raises DataError, BackboneError or RunError."""
    from ballad.data.catalog import load_dataset
    from ballad.model.fingerprint import backbone_fingerprint
    from ballad.work.devices import device_for, list_devices

    device_for(base.runtime.device, list_devices())
    backbone_fingerprint(base.backbone)
    return load_dataset(base.dataset)


def _print_ablation(ablation: "Ablation") -> None:
    from ballad.paper.counterparts import rivals
    from ballad.paper.formats import ablation_records, describe

    records, others = ablation_records(ablation), rivals(ablation.preset.name)
    published = [
        group for group in GROUPS if len(others) or any(record[group]["published"] is not None for record in records)
    ]
    rows = []
    for record in records:
        own = [_mean_and_sd(record[group]) for group in GROUPS]
        rows.append([record["setting"], *own, *(_published(record[group]) for group in published)])
    for rival in others.to_dict("records"):
        cells = [f"{rival[group]:.1f}" for group in published]
        rows.append(
            [f"{rival['setting']}, {rival['backbone']}", *[None] * len(GROUPS), *cells[:-1], cells[-1] + rival["mark"]]
        )
    columns = ["setting", *GROUPS, *(f"paper, {group}" for group in published)]
    beside = "; in brackets the difference from the paper's" if published else ""
    print_table(f"{describe(ablation)}; test accuracy, %{beside}", columns, rows, numbers=len(columns) - 1)
    for record in records:
        if record["published_source"]:
            elsewhere = "" if record["same_setup"] else ", for another dataset or backbone"
            print(f"paper, {record['setting']}: {record['published_source']}{elsewhere}")
    if ablation.preset.baseline is not None:
        _print_differences(ablation.differences(), ablation.preset.baseline)


def _print_differences(differences: "pd.DataFrame", against: str) -> None:
    rows = [
        [setting, *(_interval(row) for row in groups.to_dict("records"))]
        for setting, groups in differences.groupby("setting", sort=False)
    ]
    title = f"points above '{against}', 95 % interval of a paired bootstrap over the test images"
    print_table(title, ["setting", *GROUPS], rows, numbers=4)


def _mean_and_sd(measured: dict[str, float | None]) -> str | None:
    spread = "" if measured["sd"] is None else f" ± {measured['sd']:.1f}"
    return None if measured["mean"] is None else f"{measured['mean']:.1f}{spread}"


def _published(measured: dict[str, float | None]) -> str | None:
    distance = "" if measured["difference"] is None else f" ({measured['difference']:+.1f})"
    return None if measured["published"] is None else f"{measured['published']:.1f}{distance}"


def _interval(row: Mapping[Any, Any]) -> str | None:
    if row["difference"] != row["difference"]:  # NaN: a group without classes
        return None
    return f"{row['difference']:+.1f} [{row['low']:+.1f}, {row['high']:+.1f}]"


def _paper(options: argparse.Namespace) -> None:
    from ballad.paper.published import published, tensions

    rows = published(options.table)
    if options.csv:
        rows.to_csv(sys.stdout, index=False)
        return
    numbers = rows.astype(object).where(rows.notna(), None).values.tolist()
    print_table("top-1 accuracy as published (arXiv 2111.14745), %", list(rows.columns), numbers)
    for note in tensions(options.table):
        print(f"- {note}")
