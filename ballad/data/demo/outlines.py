"""The outlines of the demo's shapes and the patterns of its textures, as functions of the plane.

Both are evaluated in a thing's own coordinates (u to the right, v down), in which its outline fits the unit circle.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating]
"""One value per pixel, [N, H, W]."""


def _polygon(u: Plane, v: Plane, corners: int) -> Plane:
    sector = 2 * np.pi / corners
    angle = np.mod(np.arctan2(u, v) + sector / 2, sector) - sector / 2
    return np.cos(sector / 2) - np.hypot(u, v) * np.cos(angle)


def _star(u: Plane, v: Plane) -> Plane:
    angle = np.abs(np.mod(np.arctan2(u, -v) / (2 * np.pi / 5) + 0.5, 1) - 0.5) * 2
    return 1.0 - 0.58 * angle - np.hypot(u, v)


def _cross(u: Plane, v: Plane) -> Plane:
    across, along = np.minimum(np.abs(u), np.abs(v)), np.maximum(np.abs(u), np.abs(v))
    return np.minimum(0.3 - across, 0.92 - along)


def _heart(u: Plane, v: Plane) -> Plane:
    return 0.85 - np.hypot(1.15 * u, 1.15 * v + 0.12 - 0.75 * np.sqrt(np.abs(u) + 0.01) + 0.3)


def _crescent(u: Plane, v: Plane) -> Plane:
    return np.minimum(0.95 - np.hypot(u, v), np.hypot(u - 0.42, v) - 0.68)


def _arrow(u: Plane, v: Plane) -> Plane:
    head = np.minimum(u, 0.85 - u - np.abs(v))
    shaft = np.minimum(0.26 - np.abs(v), np.minimum(u + 0.9, 0.3 - u))
    return np.maximum(head, shaft)


def _flower(u: Plane, v: Plane) -> Plane:
    return 0.72 + 0.24 * np.cos(6 * np.arctan2(u, -v)) - np.hypot(u, v)


def _drop(u: Plane, v: Plane) -> Plane:
    bulb = 0.58 - np.hypot(u, v - 0.35)
    tip = np.minimum(0.55 * (v + 0.95) - np.abs(u), 0.25 - v)
    return np.maximum(bulb, tip)


OUTLINES: dict[str, Callable[[Plane, Plane], Plane]] = {
    "circle": lambda u, v: 0.88 - np.hypot(u, v),
    "square": lambda u, v: 0.76 - np.maximum(np.abs(u), np.abs(v)),
    "triangle": lambda u, v: _polygon(u, v - 0.15, 3) + 0.02,
    "hexagon": lambda u, v: _polygon(u, v, 6),
    "star": _star,
    "cross": _cross,
    "ring": lambda u, v: 0.24 - np.abs(np.hypot(u, v) - 0.68),
    "heart": _heart,
    "crescent": _crescent,
    "arrow": _arrow,
    "flower": _flower,
    "drop": _drop,
}
"""Shape -> function of (u, v) that is positive inside, about the distance to the outline."""

PATTERNS: dict[str, Callable[[Plane, Plane], Plane]] = {
    "solid": lambda u, v: np.full_like(u, -1.0),
    "striped": lambda u, v: np.sin(u),
    "checkered": lambda u, v: 2 * np.sin(0.8 * u) * np.sin(0.8 * v),
    "dotted": lambda u, v: np.cos(u) + np.cos(v) - 0.7,
    "wavy": lambda u, v: np.sin(u + 1.5 * np.sin(0.8 * v)),
    "ringed": lambda u, v: np.sin(np.hypot(u, v)),
}
"""Texture -> function of (u, v) in radians that is positive where the thing shows its second tone."""
