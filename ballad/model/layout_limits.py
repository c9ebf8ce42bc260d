"""Sizes that a backbone's configuration may ask for, looked at before anything is built.

A typing error in ``open_clip_config.json`` would otherwise fill the memory, or take hours, before it failed.
"""

from collections.abc import Iterator
from typing import Any

from ballad.errors import BackboneError

LIMITS = {
    "embed_dim": 65_536,
    "image_size": 4_096,
    "patch_size": 4_096,
    "width": 65_536,
    "layers": 1_000,
    "heads": 1_024,
    "head_width": 65_536,
    "context_length": 100_000,
    "vocab_size": 10_000_000,
}
"""The largest value of each field; the smallest is 1."""
LARGEST_TOWER = 20e9
"""Parameters in the layers of a transformer; the largest published towers have some 5 billion."""


def check_layout(model: dict[str, Any], where: object) -> None:
    """Raises BackboneError if open_clip's ``model_cfg`` has a size that no model has; ``where`` is its file."""
    for section, values in (("", model), *((name, model[name]) for name in ("vision_cfg", "text_cfg"))):
        for field, value in values.items():
            for size in _sizes(value) if field in LIMITS else ():
                if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= LIMITS[field]:
                    name = f"{section}.{field}" if section else field
                    raise BackboneError(
                        f"{name} = {value!r:.80} in {where} is impossible: it must be a whole number from 1 to "
                        f"{LIMITS[field]:,}."
                    )
        layers, width = values.get("layers"), values.get("width")
        if isinstance(layers, int) and isinstance(width, int) and 12 * layers * width**2 > LARGEST_TOWER:
            raise BackboneError(
                f"{section} in {where} describes a tower of {12 * layers * width**2:.0e} parameters, more than any "
                "published one: check its layers and width."
            )


def _sizes(value: Any) -> Iterator[Any]:
    """A size, or those of a pair of sides or of a ResNet's four stages; null leaves it to open_clip."""
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value
