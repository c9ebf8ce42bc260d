"""Settings as words: ``phase_b.residual_factor=0.3``, in a shell, a link or a note."""

from collections.abc import Sequence
from typing import Any

from ballad.errors import SettingsError
from ballad.experiment import parse_setting


def assignments(words: Sequence[str]) -> dict[str, Any]:
    """``["phase_b.residual_factor=0.3"]`` to values by field. Raises SettingsError for a word without ``=``."""
    values = {}
    for word in words:
        field, separator, value = word.partition("=")
        if not separator:
            raise SettingsError(f"--set takes FIELD=VALUE, such as phase_b.residual_factor=0.3; got '{word}'.")
        values[field.strip()] = parse_setting(field.strip(), value)
    return values


def grid(words: Sequence[str]) -> dict[str, list[Any]]:
    """``["seed=0,1"]`` to lists of values by field; a field that is named again gets the values of both.

    Raises SettingsError for a word without ``=``.
    """
    grid: dict[str, list[Any]] = {}
    for word in words:
        field, separator, values = word.partition("=")
        if not separator:
            raise SettingsError(f"--grid takes FIELD=VALUE,VALUE, such as seed=0,1,2; got '{word}'.")
        path = field.strip()
        grid.setdefault(path, []).extend(parse_setting(path, value.strip()) for value in values.split(","))
    return grid
