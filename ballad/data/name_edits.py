"""Class names that the user has edited, one file per dataset inside the first data root.

``class_names/cifar100-lt.txt`` holds one line per class: the folder or label it is read from, a tab, and its name. The
names replace the dataset's own, and so are part of its fingerprint. Files of earlier versions hold the names alone, in
the order of the labels as they were then: that of the folders' names as texts, even where these are numbers.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ballad.data.known.entries import CATALOG
from ballad.data.readers.collection import ImageCollection
from ballad.data.readers.list_files import has_lists
from ballad.data.roots import data_roots
from ballad.data.texts import read_text
from ballad.errors import DataError
from ballad.whole_files import write_text_whole


def names_file(source: str) -> Path:
    """Where the edited names of ``source`` (a catalogue name, folder or table) are kept, if there are any."""
    folder = data_roots()[0] / "class_names"
    if source in CATALOG:
        return folder / f"{source}.txt"
    path = Path(source).expanduser().resolve()
    place = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    return folder / f"{path.name}-{place}.txt"


def save_class_names(source: str, names: Mapping[str, str]) -> None:
    """Keep ``names``, by the folder or label that each class is read from, for ``source``.

    Raises DataError if one is empty or holds a line break, or if they cannot be written.
    """
    for class_source, name in names.items():
        if not name.strip() or len(name.splitlines()) > 1:
            raise DataError(f"Class {class_source} needs a name of one line, not {name!r}.")
    path = names_file(source)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{class_source}\t{name.strip()}\n" for class_source, name in names.items()]
        write_text_whole(path, "".join(lines))
    except OSError as error:
        raise DataError(
            f"{path} cannot be written ({error.strerror}); put a writable folder first in BALLAD_DATA."
        ) from None


def reset_class_names(source: str) -> None:
    """Go back to the dataset's own names."""
    names_file(source).unlink(missing_ok=True)


def with_edited_names(found: ImageCollection, source: str) -> ImageCollection:
    """``found`` under the edited names, if there are any. Raises DataError if they are those of other classes."""
    path = names_file(source)
    if not path.exists():
        return found
    lines = read_text(path).splitlines()
    if all("\t" in line for line in lines):
        name_of = dict(line.split("\t", 1) for line in lines)
    else:
        name_of = dict(zip(_earlier_order(found, source), lines, strict=False))
    if len(lines) != len(found.class_names):
        raise DataError(
            f"{path} names {len(lines)} classes, but {found.title} has {len(found.class_names)}; "
            "edit or delete that file."
        )
    unnamed = [class_source for class_source in found.class_sources if class_source not in name_of]
    if unnamed:
        raise DataError(f"{path} has no name for class {unnamed[0]} of {found.title}; edit or delete that file.")
    return replace(found, class_names=tuple(name_of[class_source].strip() for class_source in found.class_sources))


def _earlier_order(found: ImageCollection, source: str) -> list[str]:
    """The classes in the order in which earlier versions kept names: class folders as texts, all others by label."""
    path = Path(source).expanduser()
    in_class_folders = source not in CATALOG and path.is_dir() and not has_lists(path)
    return sorted(found.class_sources) if in_class_folders else list(found.class_sources)
