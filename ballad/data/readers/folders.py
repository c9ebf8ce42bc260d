"""What lies in folders: the pictures below a class folder, and what is ignored there."""

import os
from collections.abc import Iterable
from pathlib import Path

from ballad.data.formats import PICTURES_NOT_READ, SUFFIXES, is_picture
from ballad.data.ignored import (
    LEFT_BY_PROGRAMS,
    LINKS,
    NAMES,
    NOT_PICTURES,
    OTHER_FORMATS,
    OUTSIDE_CLASSES,
    Ignored,
    is_litter,
)
from ballad.data.roots import data_roots
from ballad.data.texts import is_text
from ballad.errors import DataError


def visible_folders(folder: Path) -> list[str]:
    """Names of the folders in ``folder``, links to folders among them, less what programs leave behind."""
    return [entry.name for entry in _entries(folder) if os.path.isdir(entry.path) and not is_litter(entry.name)]


class FolderWalk:
    """Finds the pictures of the set in ``root``, each folder once, and counts in ``ignored`` what it leaves out.

    Links to folders are followed where they lead inside the set or a data root, unless the folder is read at its own
    place among ``class_folders``.
    """

    def __init__(self, root: Path, class_folders: Iterable[Path], ignored: Ignored) -> None:
        self.root = root
        self._ignored = ignored
        self._inside = [root.resolve(), *data_roots()]
        self._own = {path.resolve() for path in class_folders}
        self._seen: set[Path] = set()

    def pictures_below(self, folder: Path) -> list[str]:
        """Names of the pictures at any depth below a class folder, relative to the set's folder."""
        found: list[str] = []
        if folder.is_dir():
            self._walk(folder.relative_to(self.root).as_posix(), found)
        return sorted(found)

    def _walk(self, folder: str, found: list[str]) -> None:
        for entry in _entries(self.root / folder):
            name = f"{folder}/{entry.name}"
            if is_litter(entry.name):
                self._ignore_all(name)
            elif os.path.isdir(entry.path):
                if entry.is_symlink() and not self._to_be_followed(Path(entry.path).resolve()):
                    self._ignored.add(LINKS, name)
                else:
                    self._walk(name, found)
            elif not os.path.isfile(entry.path):
                self._ignored.add(LINKS, name)
            elif not is_picture(entry.path):
                self._ignored.add(_why_no_picture(name), name)
            elif not is_text(entry.name):
                self._ignored.add(NAMES, name)
            else:
                found.append(name)

    def _to_be_followed(self, target: Path) -> bool:
        elsewhere = not any(target.is_relative_to(own) or own.is_relative_to(target) for own in self._own)
        if target in self._seen or not elsewhere or not any(target.is_relative_to(root) for root in self._inside):
            return False
        self._seen.add(target)
        return True

    def _ignore_all(self, name: str) -> None:
        path = self.root / name
        files = [Path(parent, file) for parent, _, files in os.walk(path) for file in files]
        for file in files if path.is_dir() else [path]:
            self._ignored.add(LEFT_BY_PROGRAMS, file.relative_to(self.root).as_posix())


def ignore_beside(folder: Path, read: set[Path], reason: str, ignored: Ignored) -> None:
    """Count what lies directly in ``folder`` beside what is read; folders are ignored for ``reason``."""
    for entry in _entries(folder):
        if folder / entry.name in read or entry.name == "classnames.txt":
            continue
        if is_litter(entry.name):
            ignored.add(LEFT_BY_PROGRAMS, entry.name)
        elif os.path.isdir(entry.path):
            ignored.add(reason, f"{entry.name}/")
        else:
            is_loose = os.path.splitext(entry.name)[1].lower() in SUFFIXES
            ignored.add(OUTSIDE_CLASSES if is_loose else _why_no_picture(entry.name), entry.name)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror}.") from None


def _why_no_picture(name: str) -> str:
    return OTHER_FORMATS if os.path.splitext(name)[1].lower() in PICTURES_NOT_READ else NOT_PICTURES
