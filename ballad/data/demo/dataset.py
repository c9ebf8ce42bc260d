"""The demo set: 60 classes of synthetic pictures with a long tail, drawn when first asked for."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ballad.data.demo.attributes import COLOURS, SHAPES, TEXTURES, Thing
from ballad.data.demo.rendering import FIELD, render
from ballad.data.long_tail import LongTailDataset, Split, long_tail_counts

MOST_IMAGES = 300
IMBALANCE_RATIO = 100
VALIDATION_PER_CLASS = 20
TEST_PER_CLASS = 40
CLASSES_PER_SHAPE = 5


def demo_classes() -> list[Thing]:
    """The 60 classes, most frequent first.

    Each shape has five classes, one in each fifth of the frequency order, that share colours and textures:
    a rare class always has a frequent one that differs from it in a single attribute.
    """
    classes = []
    for fifth in range(CLASSES_PER_SHAPE):
        for shape in np.random.default_rng(fifth).permutation(len(SHAPES)):
            classes.append(_class_of_shape(int(shape), fifth))
    return classes


def _class_of_shape(shape: int, fifth: int) -> Thing:
    colour, near = shape % len(COLOURS), (shape + 1) % len(COLOURS)
    far = (shape + 4) % len(COLOURS)
    texture, other = shape % len(TEXTURES), (shape + 1 + shape // len(TEXTURES)) % len(TEXTURES)
    pair = ((colour, texture), (near, other), (colour, other), (near, texture), (far, texture))[fifth]
    return Thing(*pair, shape)


@cache
def demo_dataset() -> LongTailDataset:
    """The demo set, the same in every process; drawing it takes a few seconds."""
    things = demo_classes()
    counts = long_tail_counts(MOST_IMAGES, len(things), IMBALANCE_RATIO, "exponential")
    return LongTailDataset(
        name="demo",
        title="Demo (synthetic shapes)",
        class_names=tuple(thing.name for thing in things),
        train=_draw("train", things, counts, seed=1),
        val=_draw("val", things, np.full(len(things), VALIDATION_PER_CLASS), seed=2),
        test=_draw("test", things, np.full(len(things), TEST_PER_CLASS), seed=3),
        synthetic=True,
    )


def _draw(name: str, things: list[Thing], counts: NDArray[np.int64], seed: int) -> Split:
    labels = np.repeat(np.arange(len(things)), counts)
    pixels = render([things[label] for label in labels], FIELD, np.random.default_rng(seed))
    return Split(name=name, labels=labels, paths=None, pixels=pixels)
