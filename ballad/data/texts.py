"""Text from files and file names, which may contain anything."""

from collections.abc import Sequence
from pathlib import Path

from ballad.errors import DataError


def read_text(path: Path) -> str:
    """The text of a UTF-8 file; DataError says why it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not a UTF-8 text file; save it as UTF-8.") from None


def is_text(name: str) -> bool:
    """Whether a name can be written down: no NUL, and no bytes that are not UTF-8 (Python's lone surrogates)."""
    return name == printable(name)


def printable(name: str) -> str:
    """The name with an escape in place of each character that cannot be written down."""
    return name.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


def listed(names: Sequence[str], separator: str = ", ") -> str:
    """The first three: ``a, b, c and 2 more``."""
    return separator.join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
