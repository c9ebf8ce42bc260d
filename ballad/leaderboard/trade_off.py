"""Few-shot against many-shot accuracy: what a method gains on one for what it loses on the other."""

import math
from collections.abc import Sequence

Point = tuple[float, float]


def pareto_front(points: Sequence[Point]) -> list[bool]:
    """Which points no other one beats, by being at least as high in both coordinates and higher in one.

    Equal points are on the front together; a point with a NaN never is.
    """
    return [not any(map(math.isnan, point)) and not any(_beats(other, point) for other in points) for point in points]


def _beats(other: Point, point: Point) -> bool:
    return other[0] >= point[0] and other[1] >= point[1] and other != point
