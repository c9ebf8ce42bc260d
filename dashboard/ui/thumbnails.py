"""Small pictures by URL: a run's id or a dataset's settings, a split and a sample's index.

A URL can only name samples of a known dataset: one that a stored run was made with, one of the catalogue, or one that
lies inside the data roots.
"""

import io
import json
import threading
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from ballad.data.catalog import load_again, load_dataset
from ballad.data.long_tail import LongTailDataset
from ballad.data.roots import data_roots, resolve_inside_roots
from ballad.errors import DataError, RunError, SettingsError
from ballad.experiment import Experiment
from ballad.home import default_home, run_dir
from ballad.sections import DatasetSettings
from ballad.stages.file_names import PLAN
from ballad.stages.plan import Plan
from ballad.store.run_store import RunStore
from dashboard.addresses import address
from dashboard.reading.dataset_source import dataset_source

LONGEST_SIDE = 224
"""Pixels; larger pictures are scaled down, smaller ones are left for the browser to enlarge."""
LONGEST_SETTINGS = 8000
"""Characters of a dataset's settings in an address."""
MEDIA_TYPE = "image/webp"

_reading = threading.Lock()


def thumbnail_url(run_id: str, split: str, index: int) -> str:
    """The address of a sample's picture."""
    return address(f"thumbnails/{run_id}/{split}/{index}")


def thumbnail(run_id: str, split_name: str, index: int) -> bytes:
    """WebP bytes of one sample. RunError or DataError if there is no such run, split or sample."""
    return _encoded(run_dataset(default_home(), run_id), split_name, index)


def dataset_thumbnail_url(settings: DatasetSettings, split: str, index: int) -> str:
    """The address of a picture of a dataset that needs no run."""
    told = json.dumps(settings.model_dump(mode="json", exclude_defaults=True))
    return address(f"pictures/{split}/{index}?dataset={quote(told)}")


def dataset_thumbnail(told: str, split_name: str, index: int) -> bytes:
    """WebP bytes of one sample of the dataset whose settings are the JSON ``told``.

    SettingsError if they are none; DataError if the source is neither in the catalogue nor inside the data roots,
    or there is no such split or sample.
    """
    if len(told) > LONGEST_SETTINGS:
        raise SettingsError(
            f"The address names no dataset: its settings are longer than {LONGEST_SETTINGS:,} characters."
        )
    try:
        settings = Experiment.parse({"dataset": json.loads(told)}).dataset
    except (json.JSONDecodeError, RecursionError):
        raise SettingsError("The address does not name a dataset: its settings are not a small JSON object.") from None
    inside = settings.model_copy(update={"source": dataset_source(settings.source)})
    return _encoded(read_dataset(inside), split_name, index)


def read_dataset(settings: DatasetSettings) -> LongTailDataset:
    """The dataset, read once for all that ask for a picture of it."""
    # A page asks for a dozen pictures at once; the first reads the dataset, the others wait for it.
    with _reading:
        return _dataset(settings)


def _encoded(dataset: LongTailDataset, split_name: str, index: int) -> bytes:
    split = next((split for split in dataset.splits if split.name == split_name), None)
    if split is None:
        raise DataError(f"{dataset.title} has no split '{split_name}'.")
    if not 0 <= index < len(split):
        raise DataError(f"The split {split_name} of {dataset.title} has {len(split)} images; there is no {index}.")
    if split.paths is not None:
        # A link to a picture may lead anywhere on the machine.
        resolve_inside_roots(split.paths[index], [split.paths.folder, *data_roots()])
    picture = split.image(index, at_least=LONGEST_SIDE)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    encoded = io.BytesIO()
    picture.save(encoded, "WEBP", quality=85)
    return encoded.getvalue()


def run_dataset(home: Path, run_id: str) -> LongTailDataset:
    """The dataset that a run read, once for all runs that read the same.

    RunError if there is no such run; DataError if the dataset has moved or changed since: its pictures are known by
    their places, and other ones may stand there now.
    """
    settings, fingerprint = _read_by(home, run_id)
    with _reading:
        return _dataset_again(settings, fingerprint, home)


@lru_cache(maxsize=4096)
def _read_by(home: Path, run_id: str) -> tuple[DatasetSettings, str]:
    """The settings of a run's dataset, and its fingerprint when the run read it."""
    run = RunStore(home).get(run_id)
    try:
        plan = Plan.read(run_dir(home, run.id) / PLAN)
    except FileNotFoundError:
        raise RunError(f"The run {run.id} has not read its dataset, or its folder is gone.") from None
    return plan.experiment.dataset, plan.dataset


@lru_cache(maxsize=4)
def _dataset_again(settings: DatasetSettings, fingerprint: str, home: Path) -> LongTailDataset:
    return load_again(settings, fingerprint, home=home)


@lru_cache(maxsize=4)
def _dataset(settings: DatasetSettings) -> LongTailDataset:
    return load_dataset(settings)
