"""Where image features are taken."""

from typing import Literal

Space = Literal["joint", "before_projection"]
"""In the joint space of images and texts, or before the map that leads there."""
