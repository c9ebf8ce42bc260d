"""Class names that read well in a prompt: read from files, made from folder names, checked."""

import re
from collections import Counter
from pathlib import Path

from ballad.errors import DataError

_WORDNET_LINE = re.compile(r"(n\d{8})\s+(.*\S)")


def read_text(path: Path) -> str:
    """The text of a UTF-8 file; DataError says why it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not a UTF-8 text file.") from None


def read_class_names(path: Path) -> tuple[list[str], list[str] | None]:
    """Names of the classes in label order, and their WordNet ids where the file gives them.

    A line is a name (``goldfish``), or, in every line of the file, a WordNet id and a name (``n01443537 goldfish``).
    Raises DataError for an empty file or a line without a name.
    """
    lines = read_text(path).rstrip().splitlines()
    if not lines:
        raise DataError(f"{path} is empty; it needs one class name a line, in the order of the labels.")
    for number, line in enumerate(lines, start=1):
        if not line.strip() or re.fullmatch(r"n\d{8}", line.strip()):
            raise DataError(f"{path}, line {number}: class {number - 1} has no name.")
    matches = [_WORDNET_LINE.fullmatch(line.strip()) for line in lines]
    if all(matches):
        return [match[2] for match in matches if match], [match[1] for match in matches if match]
    return [line.strip() for line in lines], None


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
    """Sentences on names that will read badly in a prompt: of two classes, ids, numbers, underscores, synonyms."""
    notes = []
    for name, count in Counter(names).items():
        if count > 1:
            labels = ", ".join(str(label) for label, other in enumerate(names) if other == name)
            notes.append(f"{count} classes are called '{name}' (labels {labels}), so their texts cannot be told apart.")
    opaque = [name for name in names if re.fullmatch(r"n\d{8}|[\d\W_]+", name)]
    if opaque:
        notes.append(f"Some class names are no words ({_shown(opaque)}): give readable ones in classnames.txt.")
    joined = [name for name in names if "_" in name]
    if joined:
        notes.append(f"Some class names hold underscores ({_shown(joined)}).")
    listed = [name for name in names if ", " in name]
    if listed:
        notes.append(f"Some class names list synonyms ({_shown(listed, '; ')}): a prompt reads better with one.")
    return notes


def _shown(names: list[str], separator: str = ", ") -> str:
    return separator.join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
