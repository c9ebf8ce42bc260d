"""The embedded demo set: synthetic pictures of 60 classes with a long tail."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ballad.data.demo.dataset import demo_dataset

__all__ = ["DEMO_SETTINGS", "demo_dataset"]

DEMO_SETTINGS: Mapping[str, Any] = MappingProxyType(
    {"phase_a.epochs": 10, "phase_a.learning_rate": 7e-4, "phase_a.batch_size": 128}
)
"""Settings of Phase A that suit so small a set and backbone; Phase B keeps the paper's."""
