"""The field's list files: one ``relative/path.jpg label`` per line, one file per split, with ``classnames.txt``.

folder/
  ImageNet_LT_train.txt   (or train.txt, train_list.txt, Training.txt, …)
  ImageNet_LT_val.txt     (or val.txt; may be absent)
  ImageNet_LT_test.txt    (or test.txt)
  classnames.txt          one name per line in label order, perhaps after a WordNet id or the label
  …                       the images, under the paths that the lists give
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ballad.data.class_names import NamesFile
from ballad.data.ignored import LISTS, Ignored
from ballad.data.long_tail import Split
from ballad.data.readers.collection import ImageCollection
from ballad.data.readers.listing import Listing, find_listed
from ballad.data.readers.splits import SPLITS, split_called
from ballad.data.texts import read_text
from ballad.errors import DataError

_LIST_WORDS = frozenset({"list", "lists", "files", "images", "split", "set"})
_SEPARATED_LABEL = re.compile(r"(.*?)[\s,;]+(\d{1,18})(?:\.0*)?")
_QUOTED = re.compile(r"""(["'])(.*)\1""")
NAMES_FILE = "classnames.txt"


def find_list(folder: Path, split: str) -> Path | None:
    """The list of a split: ``train.txt``, ``*_train.txt``, ``train_list.txt``; DataError if there are several."""
    found = sorted(path for path in folder.glob("*.[tT][xX][tT]") if _listed_split(path) == split)
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise DataError(
            f"{folder} holds several lists of the {split} split, {names}; keep one set of lists per folder."
        )
    return found[0] if found else None


def _listed_split(path: Path) -> str | None:
    """The split that the last word of the name means, not counting words such as "list"."""
    words = re.split(r"[\W_]+", path.stem)
    while len(words) > 1 and words[-1].casefold() in _LIST_WORDS:
        words.pop()
    return split_called(words[-1])


def has_lists(folder: Path) -> bool:
    """Whether ``folder`` holds a list of training images."""
    return find_list(folder, "train") is not None


def read_list_folder(folder: Path) -> ImageCollection:
    """Read the lists and ``classnames.txt`` in ``folder``, and find every image.

    Raises DataError for a missing file or image, a malformed line, a label out of range or without a name, or an image
    with two labels.
    """
    names_file = folder / NAMES_FILE
    if not names_file.exists():
        raise DataError(f"{names_file} is missing; it must name the classes, one per line, in the order of the labels.")
    lists = _read_lists(folder)
    name_of = NamesFile.read(names_file).of_labels(np.concatenate([each.labels for each in lists.values()]).tolist())
    splits, notes = find_listed({split: each.of_classes(name_of) for split, each in lists.items()}, folder)
    return ImageCollection(
        folder.name,
        folder.name,
        tuple(name_of.values()),
        splits,
        notes=tuple(notes),
        sources=tuple(map(str, name_of)),
        ignored=_other_lists(folder),
    )


def read_lists(
    list_folder: Path,
    image_folder: Path,
    class_names: tuple[str, ...],
    relocate: Callable[[str], str] = lambda name: name,
) -> tuple[dict[str, Split], list[str]]:
    """The splits that have a list, by name, and notes; the labels number ``class_names``.

    ``relocate`` maps a listed path to where the image lies in ``image_folder``.
    """
    name_of = dict(enumerate(class_names))
    lists = {split: each.of_classes(name_of, relocate) for split, each in _read_lists(list_folder).items()}
    return find_listed(lists, image_folder)


@dataclass(frozen=True)
class _List:
    """A list file: paths, labels [N] and the numbers of their lines [N]."""

    path: Path
    names: list[str]
    labels: NDArray[np.int64]
    lines: NDArray[np.int64]

    def place(self, index: int) -> str:
        return f"{self.path}, line {self.lines[index]}"

    def of_classes(self, name_of: Mapping[int, str], relocate: Callable[[str], str] = lambda name: name) -> Listing:
        """With class indices in place of labels. DataError names the line of a label that has no name."""
        numbers = np.array(list(name_of), dtype=np.int64)
        unnamed = np.flatnonzero(~np.isin(self.labels, numbers))
        if len(unnamed):
            line, label, gaps = (
                self.place(unnamed[0]),
                self.labels[unnamed[0]],
                len(numbers) <= numbers[-1] - numbers[0],
            )
            raise DataError(
                f"{line}: label {label} has no class name; "
                f"the {len(numbers)} named classes are {numbers[0]} to {numbers[-1]}{', with gaps' if gaps else ''}."
            )
        return Listing([relocate(name) for name in self.names], np.searchsorted(numbers, self.labels), self.place)


def _read_lists(folder: Path) -> dict[str, _List]:
    found = {split: find_list(folder, split) for split in SPLITS}
    return {split: read_list(path) for split, path in found.items() if path is not None}


def read_list(path: Path) -> _List:
    """Paths and labels of one list file; DataError names the line at fault."""
    names, labels, lines = [], [], []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        match = _SEPARATED_LABEL.fullmatch(line.strip())
        if match is None or not match[1]:
            raise DataError(f"{path}, line {number}: expected 'path label', found '{line.strip():.200}'.")
        names.append(_QUOTED.sub(r"\2", match[1]))
        labels.append(int(match[2]))
        lines.append(number)
    if not names:
        raise DataError(f"{path} lists no images.")
    return _List(path, names, np.array(labels, dtype=np.int64), np.array(lines, dtype=np.int64))


def _other_lists(folder: Path) -> Ignored:
    ignored = Ignored()
    for path in sorted(folder.glob("*.txt")):
        if path.name != NAMES_FILE and _listed_split(path) is None and looks_like_list(path):
            ignored.add(LISTS, path.name)
    return ignored


def looks_like_list(path: Path) -> bool:
    """Whether the first line of a text is a path and a label."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            match = _SEPARATED_LABEL.fullmatch(file.readline(4000).strip())
    except (OSError, UnicodeDecodeError):
        return False
    return match is not None and "." in match[1]
