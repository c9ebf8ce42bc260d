"""The words of the demo world: every picture shows one thing with a shape, a colour and a texture."""

from dataclasses import dataclass
from itertools import product

SHAPES = (
    "circle", "square", "triangle", "hexagon", "star", "cross", "ring", "heart", "crescent", "arrow", "flower", "drop",
)  # fmt: skip
TEXTURES = ("solid", "striped", "checkered", "dotted", "wavy", "ringed")
# Neighbours in this tuple are neighbours on the colour circle, and the easiest to mistake for each other.
COLOURS = ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink")
HUES = (0.0, 28.0, 55.0, 120.0, 174.0, 222.0, 276.0, 325.0)
"""Hue of each colour, in degrees."""


@dataclass(frozen=True)
class Thing:
    """One kind of thing, as indices into COLOURS, TEXTURES and SHAPES."""

    colour: int
    texture: int
    shape: int

    @property
    def name(self) -> str:
        return f"{COLOURS[self.colour]} {TEXTURES[self.texture]} {SHAPES[self.shape]}"


def all_things() -> list[Thing]:
    """Every combination of a colour, a texture and a shape: 576 kinds of thing."""
    return [Thing(*indices) for indices in product(range(len(COLOURS)), range(len(TEXTURES)), range(len(SHAPES)))]
