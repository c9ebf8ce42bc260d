"""Class names that read well in a prompt: read from files, made from folder names, checked."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ballad.data.texts import listed, read_text
from ballad.errors import DataError

_WORDNET_LINE = re.compile(r"(n\d{8})\s+(.*\S)")
_NUMBERED_LINE = re.compile(r"(\d+)(?:[.:,;)]\s*|\s+)(.*\S)")


@dataclass(frozen=True)
class NamesFile:
    """The lines of a ``classnames.txt``: one name per line, perhaps after a key that says what it names.

    ``goldfish``; ``n01443537 goldfish``, a WordNet id; ``0 goldfish``, a label; or a folder's name, a tab and the name.
    Keys count only if every line has one.
    """

    path: Path
    lines: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> "NamesFile":
        """Raises DataError for an empty file or a line without a name."""
        lines = read_text(path).rstrip().splitlines()
        if not lines:
            raise DataError(f"{path} is empty; it needs one class name per line, in the order of the labels.")
        for number, line in enumerate(lines, start=1):
            if not line.strip() or re.fullmatch(r"n\d{8}", line.strip()):
                raise DataError(f"{path}, line {number}: class {number - 1} has no name.")
        return cls(path, tuple(line.strip() for line in lines))

    @cached_property
    def by_id(self) -> Mapping[str, str] | None:
        """Names by WordNet id or folder, if every line has one; DataError if two lines have the same."""
        if all("\t" in line for line in self.lines) and self.by_number is None:
            pairs = [(key.strip(), name.strip()) for key, _, name in (line.partition("\t") for line in self.lines)]
        else:
            matches = [_WORDNET_LINE.fullmatch(line) for line in self.lines]
            if not all(matches):
                return None
            pairs = [(match[1], match[2]) for match in matches if match]
        line_of: dict[str, int] = {}
        for number, (key, _) in enumerate(pairs, start=1):
            if line_of.setdefault(key, number) != number:
                raise DataError(f"{self.path} names {key} twice, in lines {line_of[key]} and {number}.")
        return dict(pairs)

    @cached_property
    def by_number(self) -> Mapping[int, str] | None:
        """Names by the numbers before them, ascending, if every line has a different one."""
        matches = [_NUMBERED_LINE.fullmatch(line) for line in self.lines]
        pairs = sorted((int(match[1]), match[2]) for match in matches if match)
        return dict(pairs) if len({number for number, _ in pairs}) == len(self.lines) else None

    @property
    def counts(self) -> bool:
        """Whether the numbers before the names count from 0 or 1: ``5 dollar``, ``10 dollar`` do not."""
        numbers = list(self.by_number or ())
        return bool(numbers) and numbers[0] in (0, 1) and numbers[-1] - numbers[0] == len(numbers) - 1

    @property
    def in_label_order(self) -> list[str]:
        """The names of the labels 0, 1, …"""
        if self.by_id is not None:
            return list(self.by_id.values())
        return list(self.by_number.values()) if self.counts and self.by_number else list(self.lines)

    def of_labels(self, labels: Sequence[int]) -> dict[int, str]:
        """The name of each label: by the numbers before the names if these are the labels, else in label order.

        ``labels`` are those that occur. If there are as many labels as names but they start at 1 or have gaps, they
        take the names in order. A label may be left without a name. Raises DataError where the names are numbered from
        1 and the labels from 0.
        """
        named, names = self.by_number, self.in_label_order
        positions = set(range(len(names)))
        if named is not None and set(labels) <= set(named) and (self.counts or not set(labels) <= positions):
            return dict(named)
        if named is not None and self.counts and 0 not in named and 0 in labels:
            raise DataError(
                f"{self.path} numbers its classes from 1 ('{self.lines[0]}'), but there is a label 0; number the names "
                "like the labels, or remove the numbers."
            )
        if not set(labels) <= positions and len(set(labels)) == len(names):
            return dict(zip(sorted(set(labels)), names, strict=True))
        return dict(enumerate(names))


def readable_name(raw: str) -> str:
    """A folder's or label's name as words: ``001.Black_footed_Albatross`` becomes ``Black footed Albatross``.

    >>> [readable_name(raw) for raw in ("sea_snake", "great-white-shark", "T-shirt", "AnnualCrop")]
    ['sea snake', 'great white shark', 'T-shirt', 'Annual Crop']
    """
    name = re.sub(r"^\d+[.\s_-]+(?=\D)", "", raw).replace("_", " ")
    if " " not in name and re.fullmatch(r"\w{2,}(-\w{2,})+", name):
        name = name.replace("-", " ")
    name = re.sub(r"(?<=[a-z]{2})(?=[A-Z][a-z])", " ", name)
    return " ".join(name.split()) or raw


def class_name_notes(names: tuple[str, ...]) -> list[str]:
    """Warnings about names that will read badly in a prompt: duplicates, ids, numbers, underscores, synonyms."""
    notes = []
    for name, count in Counter(names).items():
        if count > 1:
            labels = ", ".join(str(label) for label, other in enumerate(names) if other == name)
            notes.append(f"{count} classes are called '{name}' (labels {labels}), so the model cannot tell them apart.")
    opaque = [name for name in names if re.fullmatch(r"n\d{8}|[\d\W_]+", name)]
    if opaque:
        notes.append(f"Some class names are not words ({listed(opaque)}); give readable names in classnames.txt.")
    joined = [name for name in names if "_" in name]
    if joined:
        notes.append(f"Some class names hold underscores ({listed(joined)}).")
    synonyms = [name for name in names if ", " in name]
    if synonyms:
        notes.append(
            f"Some class names list synonyms ({listed(synonyms, '; ')}); a prompt reads better with a single name."
        )
    return notes
