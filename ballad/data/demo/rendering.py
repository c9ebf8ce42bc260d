"""Pictures of things, drawn with numpy: many at a time, and the same for the same generator."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballad.data.demo.attributes import HUES, SHAPES, TEXTURES, Thing
from ballad.data.demo.outlines import OUTLINES, PATTERNS, Plane

IMAGE_SIZE = 48
CHUNK = 128
"""Images drawn together: few enough for their planes to stay in the processor's cache."""

Values = NDArray[np.floating]
"""One value per image, [N]."""
Picture = NDArray[np.floating]
"""Red, green and blue in 0..1, [N, 3, H, W]; H and W may be 1 for a flat colour."""


@dataclass(frozen=True)
class Domain:
    """How the pictures of one world look; each value is the upper end of a uniform distribution."""

    hue_shift: float
    """Degrees a thing's hue may be off its colour's, either way."""
    tint: float
    """Strength of coloured light over the whole picture, 0..1."""
    haze: float
    """Share of the contrast lost, 0..1."""
    blur: float
    """Share of each pixel taken from its neighbourhood, 0..1."""
    noise: float
    """Standard deviation of the sensor noise, of a range of 1."""
    clutter: float
    """Contrast of the background's pattern, 0..1."""
    occlusion: float
    """Half the width of a bar across the picture, of half the picture's side."""
    rotation: float
    """Degrees a thing may be turned, either way."""
    size: tuple[float, float]
    """Smallest and largest radius of a thing, of half the picture's side."""


STUDIO = Domain(
    hue_shift=8, tint=0.08, haze=0.1, blur=0.2, noise=0.03, clutter=0.1, occlusion=0.0, rotation=20, size=(0.5, 1.0)
)
"""The pictures that the demo backbone is pretrained on."""
FIELD = Domain(
    hue_shift=13, tint=0.45, haze=0.55, blur=0.9, noise=0.1, clutter=0.9, occlusion=0.2, rotation=30, size=(0.6, 0.85)
)
"""The pictures of the demo set: the same things in coloured light, haze, clutter, and half hidden."""


def render(things: Sequence[Thing], domain: Domain, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One picture of each thing, uint8 [N, 48, 48, 3]."""
    pictures = np.empty((len(things), IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    for start in range(0, len(things), CHUNK):
        chunk = things[start : start + CHUNK]
        pictures[start : start + CHUNK] = _render_chunk(chunk, domain, rng)
    return pictures


def _render_chunk(things: Sequence[Thing], domain: Domain, rng: np.random.Generator) -> NDArray[np.uint8]:
    draw = _Draws(rng, len(things))
    x, y = _pixel_grid()
    u, v, size = _own_coordinates(x, y, domain, draw)
    outline = _evaluate(OUTLINES, [SHAPES[thing.shape] for thing in things], u, v)
    coverage = _soft_step(outline * size)
    first, second = _two_tones(things, domain, draw)
    surface = _mix(first, second, _texture(things, u, v, draw))
    picture = _mix(_background(x, y, domain, draw), surface, coverage)
    picture = _occlude(picture, x, y, domain, draw)
    return _photograph(picture, domain, draw)


class _Draws:
    """Random values for a chunk of images."""

    def __init__(self, rng: np.random.Generator, images: int) -> None:
        self.rng = rng
        self.images = images

    def uniform(self, low: float, high: float) -> Values:
        return self.rng.uniform(low, high, self.images).astype(np.float32)

    def around_zero(self, limit: float) -> Values:
        return self.uniform(-limit, limit)

    def colour(self, saturation: float, darkest: float, lightest: float = 1.0) -> Picture:
        """Any hue, at most so saturated, one flat colour per image."""
        return _from_hsv(self.uniform(0, 360), self.uniform(0, saturation), self.uniform(darkest, lightest))

    def normal(self) -> Picture:
        """Standard normal values, one for each pixel and channel."""
        return self.rng.standard_normal((self.images, 3, IMAGE_SIZE, IMAGE_SIZE), np.float32)


def _pixel_grid() -> tuple[Plane, Plane]:
    axis = (np.arange(IMAGE_SIZE, dtype=np.float32) + 0.5) / IMAGE_SIZE * 2 - 1
    return axis[None, None, :], axis[None, :, None]


def _own_coordinates(x: Plane, y: Plane, domain: Domain, draw: _Draws) -> tuple[Plane, Plane, Plane]:
    size = _plane(draw.uniform(*domain.size))
    x, y = (x - _plane(draw.around_zero(0.15))) / size, (y - _plane(draw.around_zero(0.15))) / size
    u, v = _turned(x, y, np.deg2rad(draw.around_zero(domain.rotation)))
    return u, v, size


def _texture(things: Sequence[Thing], u: Plane, v: Plane, draw: _Draws) -> Plane:
    """Share of the second tone at each pixel; turned and shifted at will, but rings stay about the centre."""
    frequency = _plane(draw.uniform(9, 13))
    turned_u, turned_v = _turned(frequency * u, frequency * v, draw.around_zero(np.pi))
    ringed = np.array([TEXTURES[thing.texture] == "ringed" for thing in things])
    shift = _plane(np.where(ringed, np.float32(0), draw.around_zero(np.pi)))
    pattern = _evaluate(PATTERNS, [TEXTURES[thing.texture] for thing in things], turned_u + shift, turned_v + shift)
    return np.clip(pattern * 1.5 + 0.5, 0, 1)


def _evaluate(functions: dict[str, Callable[[Plane, Plane], Plane]], names: Sequence[str], u: Plane, v: Plane) -> Plane:
    result = np.empty_like(u)
    for name in sorted(set(names)):
        chosen = np.array([other == name for other in names])
        result[chosen] = functions[name](u[chosen], v[chosen])
    return result


def _two_tones(things: Sequence[Thing], domain: Domain, draw: _Draws) -> tuple[Picture, Picture]:
    """The thing's colour, and the same mixed towards white or towards black."""
    hue = np.array([HUES[thing.colour] for thing in things], np.float32) + draw.around_zero(domain.hue_shift)
    first = _from_hsv(hue, draw.uniform(0.65, 1.0), draw.uniform(0.65, 1.0))
    extreme = np.where(draw.uniform(0, 1) < 0.5, np.float32(1), np.float32(0.05))
    return first, _mix(first, _flat(extreme), _plane(draw.uniform(0.55, 0.85)))


def _background(x: Plane, y: Plane, domain: Domain, draw: _Draws) -> Picture:
    """A gradient between two pale colours, with a wavy pattern over it."""
    across, along = _turned(x, y, draw.around_zero(np.pi))
    waves = np.sin(_plane(draw.uniform(1, 7)) * along)
    ripples = np.sin(_plane(draw.uniform(4, 14)) * across + 2 * waves + _plane(draw.around_zero(np.pi)))
    share = 0.25 * (1 + across) + _plane(draw.uniform(0, domain.clutter)) * 0.5 * (1 + ripples)
    return _mix(draw.colour(0.35, 0.2), draw.colour(0.6, 0.1), np.clip(share, 0, 1))


def _occlude(picture: Picture, x: Plane, y: Plane, domain: Domain, draw: _Draws) -> Picture:
    """Half of the pictures get a bar across them."""
    across, _ = _turned(x, y, draw.around_zero(np.pi))
    distance = np.abs(across - _plane(draw.around_zero(0.7)))
    # Half a pixel less, so that a bar of no width leaves no trace.
    coverage = _soft_step(_plane(draw.around_zero(domain.occlusion)) - distance - 1 / IMAGE_SIZE)
    return _mix(picture, draw.colour(0.5, 0.1), coverage)


def _photograph(picture: Picture, domain: Domain, draw: _Draws) -> NDArray[np.uint8]:
    """Coloured light, haze, blur and sensor noise."""
    picture = picture * draw.colour(domain.tint, 0.75)
    picture = _mix(picture, _flat(draw.uniform(0.3, 0.8)), _plane(draw.uniform(0, domain.haze)))
    picture = _mix(picture, _box_blur(picture), _plane(draw.uniform(0, domain.blur)))
    picture = picture + _flat(draw.uniform(0, domain.noise)) * draw.normal()
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8).transpose(0, 2, 3, 1)


def _box_blur(picture: Picture) -> Picture:
    """Mean over 5 × 5 pixels, edges repeated."""
    rows = np.pad(picture, ((0, 0), (0, 0), (2, 2), (0, 0)), mode="edge")
    picture = (rows[:, :, :-4] + rows[:, :, 1:-3] + rows[:, :, 2:-2] + rows[:, :, 3:-1] + rows[:, :, 4:]) / 5
    columns = np.pad(picture, ((0, 0), (0, 0), (0, 0), (2, 2)), mode="edge")
    return (columns[..., :-4] + columns[..., 1:-3] + columns[..., 2:-2] + columns[..., 3:-1] + columns[..., 4:]) / 5


def _from_hsv(hue: Values, saturation: Values, value: Values) -> Picture:
    """One flat colour per image, from hue in degrees and saturation and value in 0..1."""
    sixth = (np.array([5, 3, 1], np.float32) + hue[:, None] / 60) % 6
    share = np.clip(np.minimum(sixth, 4 - sixth), 0, 1)
    return (value[:, None] * (1 - saturation[:, None] * share))[:, :, None, None]


def _turned(x: Plane, y: Plane, angle: Values) -> tuple[Plane, Plane]:
    cosine, sine = _plane(np.cos(angle)), _plane(np.sin(angle))
    return cosine * x + sine * y, cosine * y - sine * x


def _soft_step(distance: Plane) -> Plane:
    """1 where the distance is positive, 0 where it is not, smooth over one pixel."""
    return np.clip(distance * (IMAGE_SIZE / 2) + 0.5, 0, 1)


def _plane(values: Values) -> Plane:
    return values[:, None, None]


def _flat(values: Values) -> Picture:
    return values[:, None, None, None]


def _mix(one: Picture, other: Picture, share: Plane) -> Picture:
    return one + share[:, None] * (other - one)
