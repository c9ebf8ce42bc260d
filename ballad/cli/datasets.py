"""``datasets``, ``download`` and ``check``: what images there are, how to get them, and whether they are sound."""

import argparse
from typing import TYPE_CHECKING

from ballad.assignments import assignments
from ballad.cli.settings import add_assignments
from ballad.cli.tables import print_table
from ballad.errors import DataError
from ballad.shot_groups import SHOT_GROUPS

if TYPE_CHECKING:
    import pandas as pd

ROWS_SHOWN = 20


def add_commands(commands: argparse._SubParsersAction) -> None:
    datasets = commands.add_parser("datasets", help="list the datasets that go by a name, and where they are")
    datasets.set_defaults(command=_datasets)

    download = commands.add_parser("download", help="download a dataset to the first data root ($BALLAD_DATA)")
    download.add_argument("name")
    download.set_defaults(command=_download)

    check = commands.add_parser("check", help="look for unreadable images and test images that are also trained on")
    check.add_argument("dataset", help="a name, a folder, or a CSV or Parquet table")
    add_assignments(check, "a setting of the dataset, such as dataset.test_per_class=50; may be repeated")
    check.set_defaults(command=_check)


def _datasets(options: argparse.Namespace) -> None:
    from ballad.data.catalog import list_datasets

    for entry in list_datasets():
        status = entry.status()
        print(f"{entry.name:18} {status.state:13} {status.message}")


def _download(options: argparse.Namespace) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    from ballad.data.catalog import CATALOG

    entry = CATALOG.get(options.name)
    if entry is None:
        raise DataError(f"There is no dataset '{options.name}'; the names are {', '.join(CATALOG)}.")
    if entry.status().state == "present":
        print(entry.status().message)
        return
    with Progress(BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        bar = bars.add_task(entry.title)
        entry.download(lambda done, size: bars.update(bar, completed=done, total=size))
    print(entry.status().message)


def _check(options: argparse.Namespace) -> int:
    from ballad.data.catalog import load_dataset
    from ballad.data.checks import duplicate_images, unreadable_images
    from ballad.experiment import Experiment

    values = {"dataset.source": options.dataset, **assignments(options.assignments)}
    dataset = load_dataset(Experiment().with_values(values).dataset)
    groups = dataset.shot_group_of_class
    counts = ", ".join(f"{len(split):,} {split.name}" for split in dataset.splits)
    shots = ", ".join(f"{groups.count(group)} {group}" for group in SHOT_GROUPS)
    print(f"{dataset.title}: {dataset.num_classes} classes ({shots}), images: {counts}")
    largest, smallest = dataset.class_counts.max(), dataset.class_counts.min()
    print(f"training images of a class: {largest:,} to {smallest:,}, imbalance ratio {largest / smallest:,.0f}")
    print(f"fingerprint {dataset.fingerprint}")
    for note in dataset.notes:
        print(note)
    unreadable, duplicates = unreadable_images(dataset), duplicate_images(dataset)
    _print_findings("unreadable images", unreadable)
    _print_findings("images that are also trained on", duplicates)
    return 1 if len(unreadable) else 0


def _print_findings(title: str, findings: "pd.DataFrame") -> None:
    print(f"{len(findings):,} {title}")
    if len(findings):
        rows = findings.head(ROWS_SHOWN).astype(str).to_numpy().tolist()
        print_table(title, list(findings.columns), rows)
