"""What a backbone sees of an image: the plain view for evaluation, augmented views for training."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from ballad.experiment import Augmentation

CROP_SCALE = (0.5, 1.0)
"""Share of the area that a training crop covers (released code)."""
CROP_RATIO = (3 / 4, 4 / 3)
JITTER = 0.4
"""Brightness, contrast and saturation vary by ± 40 % (released code)."""


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


def evaluation_view(image: Image.Image, spec: ImageSpec) -> NDArray[np.uint8]:
    """The plain view uint8 [S, S, 3]: pixel for pixel what open_clip's evaluation transform makes of an RGB image."""
    size, (width, height) = spec.size, image.size
    if spec.resize_mode == "squash":
        return np.asarray(_resized(image, (size, size), spec))
    if width <= height:
        image = _resized(image, (size, int(size * height / width)), spec)
    else:
        image = _resized(image, (int(size * width / height), size), spec)
    left, top = round((image.width - size) / 2), round((image.height - size) / 2)
    return np.asarray(image.crop((left, top, left + size, top + size)))


def training_view(
    image: Image.Image, spec: ImageSpec, augmentation: Augmentation, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """An augmented view uint8 [S, S, 3] of an RGB image.

    ``crop_flip``: a random crop of 50 to 100 % of the area, mirrored half of the time; ``crop_flip_jitter`` also varies
    brightness, contrast and saturation as the released code does; ``none``: the plain view.
    """
    if augmentation == "none":
        return evaluation_view(image, spec)
    image = _resized(image.crop(_random_box(image.size, rng)), (spec.size, spec.size), spec)
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if augmentation == "crop_flip_jitter":
        enhancers = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
        factors = rng.uniform(1 - JITTER, 1 + JITTER, size=len(enhancers))
        for which in rng.permutation(len(enhancers)):
            image = enhancers[which](image).enhance(factors[which])
    return np.asarray(image)


def _resized(image: Image.Image, size: tuple[int, int], spec: ImageSpec) -> Image.Image:
    return image if image.size == size else image.resize(size, spec.filter)


def _random_box(size: tuple[int, int], rng: np.random.Generator) -> tuple[int, int, int, int]:
    """A crop (left, top, right, bottom) of random area and shape, drawn as torchvision's RandomResizedCrop draws it."""
    width, height = size
    for _ in range(10):
        area = width * height * rng.uniform(*CROP_SCALE)
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
