"""Files that a reader left out: how many, which, and why."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from ballad.data.texts import printable

LEFT_BY_PROGRAMS = "left behind by a program"
NOT_PICTURES = "not a picture"
OTHER_FORMATS = "in a format that is not read; convert them to JPEG or PNG"
OUTSIDE_CLASSES = "outside the class folders"
BESIDE_SPLITS = "in a folder beside the splits"
LINKS = "behind a link that leads nowhere, to what is read already, or out of the data roots"
NAMES = "under a name that is not UTF-8; rename them"
LISTS = "a list not named train.txt, val.txt or test.txt"

_HARMLESS = frozenset({LEFT_BY_PROGRAMS, NOT_PICTURES})
_EXAMPLES = 3

_LITTER = frozenset({"@eaDir", "__MACOSX", "Thumbs.db", "ehthumbs.db", "desktop.ini", "$RECYCLE.BIN", "lost+found"})


def is_litter(name: str) -> bool:
    """Whether programs leave behind files and folders of this name: hidden ones, thumbnails, notebook checkpoints."""
    return name.startswith(".") or name in _LITTER


@dataclass
class Ignored:
    """The ignored files by the reason why."""

    _names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, reason: str, name: str) -> None:
        self._names[reason].append(printable(name))

    def __iter__(self) -> Iterator[tuple[str, int, list[str]]]:
        """Reason, number of files and a few of their names, for each reason."""
        for reason, names in sorted(self._names.items()):
            yield reason, len(names), sorted(names)[:_EXAMPLES]

    def notes(self) -> list[str]:
        """A sentence for each reason that may cost pictures; what programs leave behind needs none."""
        return [_sentence(*entry) for entry in self if entry[0] not in _HARMLESS]

    def sentences(self) -> list[str]:
        """A sentence for each reason."""
        return [_sentence(*entry) for entry in self]


def _sentence(reason: str, count: int, examples: list[str]) -> str:
    files = "1 file is" if count == 1 else f"{count:,} files are"
    more = f" and {count - len(examples):,} more" if count > len(examples) else ""
    return f"{files} ignored, {reason}: {', '.join(examples)}{more}."
