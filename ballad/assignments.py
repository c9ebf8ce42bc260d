"""Settings as words: ``phase_b.residual_factor=0.3``, in a shell, a link or a file of notes."""

from collections.abc import Sequence
from typing import Any

from ballad.errors import SettingsError
from ballad.experiment import parse_value


def assignments(words: Sequence[str]) -> dict[str, Any]:
    """``["phase_b.residual_factor=0.3"]`` to values by field. Raises SettingsError for a word without ``=``."""
    values = {}
    for word in words:
        field, separator, value = word.partition("=")
        if not separator:
            raise SettingsError(f"--set takes FIELD=VALUE, such as phase_b.residual_factor=0.3; got '{word}'.")
        values[field.strip()] = parse_value(value)
    return values
