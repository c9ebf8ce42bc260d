"""The settings that suit the demo's small set and backbone."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

DEMO_SETTINGS: Mapping[str, Any] = MappingProxyType(
    {"phase_a.epochs": 10, "phase_a.learning_rate": 7e-4, "phase_a.batch_size": 128}
)
"""Settings of Phase A; Phase B keeps the paper's."""


def demo_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of the demo's size, where ``values`` (by dotted name) leave the demo's set and backbone in place."""
    if values.get("dataset.source", "demo") != "demo" or values.get("backbone.name", "demo") != "demo":
        return {}
    return dict(DEMO_SETTINGS)
