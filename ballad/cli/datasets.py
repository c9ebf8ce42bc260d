"""``datasets``, ``download`` and ``check``: what images there are, how to get them, and whether they are sound."""

import argparse
import json
from typing import TYPE_CHECKING

from ballad.assignments import assignments
from ballad.cli.settings import add_assignments
from ballad.cli.tables import print_table
from ballad.errors import DataError
from ballad.shot_groups import SHOT_GROUPS

if TYPE_CHECKING:
    import pandas as pd

    from ballad.data.long_tail import LongTailDataset
    from ballad.experiment import Experiment

ROWS_SHOWN = 20
CLASSES_SHOWN = 100


def add_commands(commands: argparse._SubParsersAction) -> None:
    datasets = commands.add_parser("datasets", help="list the datasets of the catalogue and where they are")
    datasets.set_defaults(command=_datasets)

    download = commands.add_parser("download", help="download a dataset to the first data root ($BALLAD_DATA)")
    download.add_argument("name")
    download.set_defaults(command=_download)

    check = commands.add_parser(
        "check", help="look for unreadable images and for test images that are also training images"
    )
    check.add_argument("dataset", help="a name, a folder, or a CSV or Parquet table")
    add_assignments(check, "a setting, such as dataset.test_per_class=50 or backbone.name=RN50; may be repeated")
    check.add_argument("--json", action="store_true", help="print everything that was found as one JSON object")
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
    from ballad.data.checks import equal_images, unreadable_images
    from ballad.experiment import Experiment

    values = {"dataset.source": options.dataset, **assignments(options.assignments)}
    experiment = Experiment().with_values(values)
    dataset = load_dataset(experiment.dataset)
    notes = [*dataset.notes, *_token_notes(dataset, experiment)]
    unreadable = unreadable_images(dataset)
    repeats, leaks = equal_images(dataset)
    if options.json:
        ignored = {reason: {"count": count, "examples": names} for reason, count, names in dataset.ignored}
        report = {
            "title": dataset.title,
            "fingerprint": dataset.fingerprint,
            "classes": _class_records(dataset),
            "images": {split.name: len(split) for split in dataset.splits},
            "ignored": ignored,
            "duplicates": repeats.to_dict("records"),
            "leaks": leaks.to_dict("records"),
            "unreadable": unreadable.drop(columns="index").to_dict("records"),
            "notes": notes,
        }
        print(json.dumps(report))
    else:
        _print_overview(dataset, [*notes, *(each for each in dataset.ignored.sentences() if each not in notes)])
        _print_findings("unreadable images", unreadable)
        _print_findings("images that occur more than once in their split", repeats)
        _print_findings("images that are also training images", leaks)
    return 1 if len(unreadable) else 0


def _token_notes(dataset: "LongTailDataset", experiment: "Experiment") -> list[str]:
    from ballad.errors import BackboneError
    from ballad.model.class_tokens import class_token_notes, tokenizer_of

    try:
        return class_token_notes(dataset.class_names, tokenizer_of(experiment.backbone), experiment.prompts)
    except BackboneError as error:
        return [f"Whether the backbone can tell the names apart was not checked: {error}"]


def _class_records(dataset: "LongTailDataset") -> list[dict[str, object]]:
    table = dataset.class_table().assign(source=dataset.class_sources)
    columns = {"class_id": "id", "class_name": "name", "train_count": "train", "val_count": "val", "test_count": "test"}
    return table.rename(columns=columns)[["id", "name", "source", "group", "train", "val", "test"]].to_dict("records")


def _print_overview(dataset: "LongTailDataset", sentences: list[str]) -> None:
    groups = dataset.shot_group_of_class
    counts = ", ".join(f"{len(split):,} {split.name}" for split in dataset.splits)
    shots = ", ".join(f"{groups.count(group)} {group}" for group in SHOT_GROUPS)
    print(f"{dataset.title}: {dataset.num_classes} classes ({shots}), images: {counts}")
    largest, smallest = dataset.class_counts.max(), dataset.class_counts.min()
    print(f"training images of a class: {largest:,} to {smallest:,}, imbalance ratio {largest / smallest:,.0f}")
    print(f"fingerprint {dataset.fingerprint}")
    for record in _class_records(dataset)[:CLASSES_SHOWN]:
        print(
            f"  {record['source']} → {record['name']} ({record['train']} + {record['val']} + {record['test']} images)"
        )
    if dataset.num_classes > CLASSES_SHOWN:
        print(f"  and {dataset.num_classes - CLASSES_SHOWN:,} more classes, which --json lists")
    for sentence in sentences:
        print(sentence)


def _print_findings(title: str, findings: "pd.DataFrame") -> None:
    print(f"{len(findings):,} {title}")
    if len(findings):
        rows = findings.head(ROWS_SHOWN).astype(str).to_numpy().tolist()
        print_table(title, list(findings.columns), rows)
