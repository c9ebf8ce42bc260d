"""What a backbone sees of an image: the plain view for evaluation, augmented views for training."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from ballad.sections import Augmentation

CROP_SCALE = (0.5, 1.0)
"""Share of the area that a training crop covers (released code)."""
WIDE_CROP_SCALE = (0.08, 1.0)
"""The same in LIFT (arXiv 2309.10019), and by default in torchvision."""
CROP_RATIO = (3 / 4, 4 / 3)
JITTER = 0.4
"""Brightness, contrast and saturation vary by ± 40 % (released code)."""
ENHANCERS = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels."""


@dataclass(frozen=True)
class ImageSpec:
    """What a backbone wants to see."""

    size: int
    """Side in pixels."""
    mean: tuple[float, float, float]
    """Of each channel, in 0..1."""
    std: tuple[float, float, float]
    interpolation: str = "bicubic"
    """``bicubic`` or ``bilinear``."""
    resize_mode: str = "shortest"
    """``shortest``: scale the shorter side, crop the centre; ``squash``: scale both sides."""

    @property
    def filter(self) -> Image.Resampling:
        return Image.Resampling.BILINEAR if self.interpolation == "bilinear" else Image.Resampling.BICUBIC

    def resized(self, width: int, height: int) -> tuple[int, int]:
        """Width and height that the plain view scales an image to, before it crops the centre."""
        if self.resize_mode == "squash":
            return self.size, self.size
        if width <= height:
            return self.size, int(self.size * height / width)
        return int(self.size * width / height), self.size

    def centre(self, width: int, height: int) -> Box:
        """The square that the plain view keeps of a scaled image."""
        left, top = round((width - self.size) / 2), round((height - self.size) / 2)
        return left, top, left + self.size, top + self.size


@dataclass(frozen=True)
class Draw:
    """What chance decides about an augmented view."""

    box: Box
    mirrored: bool
    enhancements: tuple[tuple[int, float], ...]
    """Numbers in ENHANCERS and their factors, in the order in which they are applied."""

    @classmethod
    def of(cls, width: int, height: int, augmentation: Augmentation, rng: np.random.Generator) -> "Draw":
        """Draw for an image of this size.

        ``crop_flip``: a random crop of 50 to 100 % of the area, mirrored half of the time; ``crop_flip_jitter`` also
        varies brightness, contrast and saturation as the released code does; ``wide_crop_flip`` crops 8 to 100 %.
        """
        scale = WIDE_CROP_SCALE if augmentation == "wide_crop_flip" else CROP_SCALE
        box, mirrored = _random_box(width, height, scale, rng), bool(rng.random() < 0.5)
        if augmentation != "crop_flip_jitter":
            return cls(box, mirrored, ())
        factors = rng.uniform(1 - JITTER, 1 + JITTER, size=len(ENHANCERS))
        order = rng.permutation(len(ENHANCERS))
        return cls(box, mirrored, tuple((int(which), float(factors[which])) for which in order))


def evaluation_view(image: Image.Image, spec: ImageSpec) -> NDArray[np.uint8]:
    """The plain view uint8 [S, S, 3]: pixel for pixel what open_clip's evaluation transform makes of an RGB image."""
    image = _resized(image, spec.resized(*image.size), spec)
    return np.asarray(image.crop(spec.centre(*image.size)))


def training_view(image: Image.Image, spec: ImageSpec, draw: Draw) -> NDArray[np.uint8]:
    """The augmented view uint8 [S, S, 3] of an RGB image that ``draw`` decided on."""
    image = _resized(image.crop(draw.box), (spec.size, spec.size), spec)
    if draw.mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    for which, factor in draw.enhancements:
        image = ENHANCERS[which](image).enhance(factor)
    return np.asarray(image)


def _resized(image: Image.Image, size: tuple[int, int], spec: ImageSpec) -> Image.Image:
    return image if image.size == size else image.resize(size, spec.filter)


def _random_box(width: int, height: int, scale: tuple[float, float], rng: np.random.Generator) -> Box:
    """A crop of random area, a share between those of ``scale``, and shape, as torchvision's RandomResizedCrop."""
    for _ in range(10):
        area = width * height * rng.uniform(*scale)
        ratio = math.exp(rng.uniform(math.log(CROP_RATIO[0]), math.log(CROP_RATIO[1])))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            left, top = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
            return left, top, left + w, top + h
    # A very long image: the largest central crop of an allowed shape.
    w = min(width, round(height * CROP_RATIO[1]))
    h = min(height, round(width / CROP_RATIO[0]))
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h
