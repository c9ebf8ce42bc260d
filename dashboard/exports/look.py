"""How a figure is to look on paper: what the reader chooses."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from dashboard.figures.label_places import LETTER_WIDTH

PIXELS_PER_INCH = 96
_POINTS_PER_INCH = 72

Part = Literal["legend", "titles", "names"]
PARTS: Mapping[Part, str] = MappingProxyType(
    {"legend": "Legend", "titles": "Titles and notes", "names": "Names of points"}
)
"""The parts that a figure can do without."""


@dataclass(frozen=True)
class PaperSize:
    """Width and height in inches and font size in points, as they will appear on the page.

    ``height`` is that of a plain figure; one with many rows or a long legend grows up to ``tallest``.
    """

    title: str
    width: float
    height: float
    tallest: float
    font_size: float

    @property
    def font_pixels(self) -> float:
        return self.font_size * PIXELS_PER_INCH / _POINTS_PER_INCH

    @property
    def pixels(self) -> int:
        """Its width."""
        return round(self.width * PIXELS_PER_INCH)

    def text_pixels(self, text: str) -> float:
        """About how wide a text is; of several lines, the widest."""
        return LETTER_WIDTH * self.font_pixels * max(map(len, text.split("<br>")))


SIZES = {
    "one_column": PaperSize("one column (3.25 in)", 3.25, 2.4, 9, 7),
    "two_columns": PaperSize("two columns (6.875 in)", 6.875, 2.9, 9, 8),
    "slide": PaperSize("slide (10 in)", 10, 5.6, 5.6, 14),
}


@dataclass(frozen=True)
class Look:
    """How a figure goes on paper.

    font_size : points; None for the size's own.
    title : what the file says it is, in its metadata.
    heading : stands above the figure; empty for none.
    without : the parts to leave out.
    """

    size: PaperSize = SIZES["two_columns"]
    font_size: float | None = None
    title: str = ""
    heading: str = ""
    without: frozenset[Part] = field(default_factory=frozenset)

    @property
    def sized(self) -> PaperSize:
        """The size at the chosen font."""
        return self.size if self.font_size is None else replace(self.size, font_size=self.font_size)
