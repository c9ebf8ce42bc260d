"""Class names that the user has edited, one file a dataset below the first data root.

``class_names/cifar100-lt.txt`` holds one name a line in label order; it replaces the dataset's own names,
and so is part of its fingerprint.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ballad.data.class_names import read_class_names
from ballad.data.known.entries import CATALOG
from ballad.data.readers.collection import ImageCollection
from ballad.data.roots import data_roots
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


def save_class_names(source: str, names: Sequence[str]) -> None:
    """Keep ``names``, in label order, for ``source``.

    Raises DataError if one is empty or holds a line break, or if they cannot be written.
    """
    for label, name in enumerate(names):
        if not name.strip() or len(name.splitlines()) > 1:
            raise DataError(f"Class {label} needs a name of one line, not {name!r}.")
    path = names_file(source)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_whole(path, "".join(f"{name.strip()}\n" for name in names))
    except OSError as error:
        raise DataError(
            f"{path} cannot be written ({error.strerror}); put a folder that can be first in BALLAD_DATA."
        ) from None


def reset_class_names(source: str) -> None:
    """Go back to the dataset's own names."""
    names_file(source).unlink(missing_ok=True)


def with_edited_names(found: ImageCollection, source: str) -> ImageCollection:
    """``found`` under the edited names, if there are any. Raises DataError if their number is wrong."""
    path = names_file(source)
    if not path.exists():
        return found
    names, _ = read_class_names(path)
    if len(names) != len(found.class_names):
        raise DataError(
            f"{path} names {len(names)} classes, but {found.title} has {len(found.class_names)}; "
            "edit or delete that file."
        )
    return replace(found, class_names=tuple(names))
