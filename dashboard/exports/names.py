"""File names that say what they hold."""

import re
import unicodedata

_LONGEST = 150


def file_name(*parts: str, extension: str) -> str:
    """``file_name("λ sweep", "demo RN50", extension="pdf")`` is ``lambda-sweep_demo-rn50.pdf``.

    Safe on every file system: ASCII letters, digits, dots and hyphens; at most 150 characters before the extension.
    """
    return f"{_stem(*parts)}.{extension}"


def table_label(name: str) -> str:
    """The label by which a LaTeX text refers to the table: ``tab:lambda-sweep``."""
    return f"tab:{_stem(name)}"


def _stem(*parts: str) -> str:
    words = [_slug(part) for part in parts]
    stem = "_".join(word for word in words if word) or "export"
    return stem[:_LONGEST].rstrip("-_.")


def _slug(text: str) -> str:
    spelled = text.replace("λ", "lambda").replace("τ", "tau")
    ascii_text = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9.]+", "-", ascii_text.lower()).strip("-.")
