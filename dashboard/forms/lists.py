"""Lists of numbers as people type them."""

import re

from ballad.errors import SettingsError

_MOST_SEEDS = 100


def parse_seeds(text: str) -> list[int]:
    """``"0, 1, 5-7"`` to ``[0, 1, 5, 6, 7]``, each once. Raises SettingsError for anything else."""
    seeds: list[int] = []
    for word in _words(text):
        match = re.fullmatch(r"(\d+)(?:\s*[-–]\s*(\d+))?", word)
        if match is None:
            raise SettingsError(f"Seeds: '{word}' is not a whole number; write seeds as 0, 1, 2 or 0-4.")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 0 <= last - first < _MOST_SEEDS:
            raise SettingsError(f"Seeds: the range '{word}' must ascend and hold at most {_MOST_SEEDS} seeds.")
        seeds += range(first, last + 1)
    if not seeds:
        raise SettingsError("Seeds: give at least one, such as 0.")
    return list(dict.fromkeys(seeds))


def parse_factors(text: str) -> list[float]:
    """``"0, 0.1, 0.25"`` to residual factors, each once, in order of size. Raises SettingsError for anything else."""
    factors = []
    for word in _words(text):
        try:
            factor = float(word)
        except ValueError:
            raise SettingsError(
                f"λ: '{word}' is not a number; write values from 0 to 1, such as 0, 0.1, 0.2."
            ) from None
        if not 0 <= factor <= 1:
            raise SettingsError(f"λ = {word}: the residual factor must be between 0 and 1.")
        factors.append(factor)
    if not factors:
        raise SettingsError("λ: give at least one value from 0 to 1.")
    return sorted(set(factors))


def listed(numbers: list[int] | list[float] | tuple[float, ...]) -> str:
    """The numbers as they would be typed, with every digit they have."""
    return ", ".join(str(number).removesuffix(".0") for number in numbers)


def _words(text: str) -> list[str]:
    return [word.strip() for word in re.split(r"[,;\n]", text) if word.strip()]
