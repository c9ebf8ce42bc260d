"""The one place that builds datasets: by name, from a folder, or from a table."""

import os
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from ballad.data.checks import without_unreadable
from ballad.data.class_names import class_name_notes
from ballad.data.contents import with_changes_marked
from ballad.data.known.entries import CATALOG
from ballad.data.known.entry import KnownDataset
from ballad.data.long_tail import LongTailDataset
from ballad.data.name_edits import with_edited_names
from ballad.data.readers.class_folders import read_class_folders, set_inside
from ballad.data.readers.collection import ImageCollection
from ballad.data.readers.list_files import has_lists, read_list_folder
from ballad.data.readers.tables import TABLE_SUFFIXES, read_table
from ballad.data.subsets import build_dataset
from ballad.data.texts import is_text, printable
from ballad.errors import DataError
from ballad.home import default_home, unreadable_dir
from ballad.sections import DatasetSettings


def list_datasets() -> list[KnownDataset]:
    """Every dataset that has a name; ``status()`` tells whether it is available."""
    return list(CATALOG.values())


def load_dataset(settings: DatasetSettings, *, home: Path | None = None) -> LongTailDataset:
    """The dataset that ``settings`` describe; reads names, labels, file sizes and times of change.

    ``home`` (None for the default one) remembers what the files held, so that changed ones are noticed. Decodes images
    only for ``skip_unreadable``, whose verdict is kept there.

    Raises DataError or SettingsError with a sentence that says what is missing, where, and what to do.
    """
    entry = CATALOG.get(settings.source)
    found = entry.load() if entry else _read(settings.source)
    if entry is not None and settings.imbalance_ratio is None:
        settings = settings.model_copy(update={"imbalance_ratio": entry.imbalance_ratio})
    found = with_edited_names(found, settings.source)
    found = replace(found, notes=(*found.notes, *found.ignored.notes(), *class_name_notes(found.class_names)))
    dataset = build_dataset(found, settings)
    if settings.shorter_side:
        dataset = dataset.scaled_down(settings.shorter_side)
    home = home or default_home()
    dataset = with_changes_marked(dataset, home)
    if settings.skip_unreadable:
        dataset = with_changes_marked(without_unreadable(dataset, unreadable_dir(home)), home)
    return dataset


def load_again(settings: DatasetSettings, fingerprint: str, *, home: Path | None = None) -> LongTailDataset:
    """The dataset as it was when it had this fingerprint, for those who know its images by their places alone.

    Raises as :func:`load_dataset`, and DataError if other images stand in those places now.
    """
    dataset = load_dataset(settings, home=home)
    if dataset.fingerprint != fingerprint:
        raise DataError(
            f"The pictures cannot be shown: the dataset {settings.source} has changed since the run read it; "
            "run the experiment again."
        )
    return dataset


def _read(source: str) -> ImageCollection:
    if not is_text(source):
        raise DataError(f"'{printable(source)}' cannot be the name of a folder or table.")
    # Unlike pathlib's, these functions of os.path take any text, however long.
    path = Path(os.path.expanduser(source))
    if os.path.isdir(path):
        return _read_folder(path)
    if os.path.isfile(path) and path.suffix.lower() in TABLE_SUFFIXES:
        return read_table(path)
    if os.path.isfile(path):
        raise DataError(f"{source} is not a dataset; give its folder, or a CSV or Parquet table of paths and labels.")
    matches = get_close_matches(source, CATALOG, n=1)
    hint = f"did you mean '{matches[0]}'?" if matches else f"the names are {', '.join(CATALOG)}."
    raise DataError(f"There is no folder or table '{source}', and no dataset with that name; {hint}")


def _read_folder(path: Path) -> ImageCollection:
    folder = set_inside(path)
    found = read_list_folder(folder) if has_lists(folder) else read_class_folders(folder)
    return found if folder == path else replace(found, notes=(f"The dataset was found in {folder}.", *found.notes))
