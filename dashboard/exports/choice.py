"""What a reader chose for an export, as it stands in a link: ``one_column,9,heading,-legend,svg``."""

import math
from dataclasses import dataclass

from dashboard.exports.look import PARTS, SIZES, Look, Part
from dashboard.exports.registry import FIGURE_FORMATS

SMALLEST_FONT, LARGEST_FONT = 5.0, 24.0
"""Points."""


@dataclass(frozen=True)
class ExportChoice:
    """``size`` is a key of ``SIZES``, ``extension`` one of ``FIGURE_FORMATS``; ``font_size`` None is the size's own."""

    size: str = "two_columns"
    font_size: float | None = None
    heading: bool = False
    without: frozenset[Part] = frozenset()
    extension: str = "pdf"

    def look(self, title: str) -> Look:
        """How the figure with this title is to look."""
        heading = title if self.heading else ""
        return Look(SIZES[self.size], self.font_size, title=title, heading=heading, without=self.without)

    def text(self) -> str:
        """Itself, for a link."""
        font = [] if self.font_size is None else [f"{self.font_size:g}"]
        heading = ["heading"] if self.heading else []
        left_out = [f"-{part}" for part in PARTS if part in self.without]
        return ",".join([self.size, *font, *heading, *left_out, self.extension])


def parse_choice(text: str) -> ExportChoice:
    """What :meth:`ExportChoice.text` wrote; from any other link, as much as can be understood."""
    words = text.split(",")
    fonts = [number for number in map(_number, words) if SMALLEST_FONT <= number <= LARGEST_FONT]
    plain = ExportChoice()
    return ExportChoice(
        size=next((word for word in words if word in SIZES), plain.size),
        font_size=fonts[0] if fonts else None,
        heading="heading" in words,
        without=frozenset(part for part in PARTS if f"-{part}" in words),
        extension=next((word for word in words if word in FIGURE_FORMATS), plain.extension),
    )


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return math.nan
