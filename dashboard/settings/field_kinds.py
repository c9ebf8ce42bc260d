"""The kinds of entry a form has, and how a setting's value looks in each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Field:
    """An entry; ``help`` says what the setting does, in a sentence or two."""

    label: str
    help: str

    def shown(self, value: Any) -> Any:
        """What the widget holds for a setting's value."""
        return value

    def value(self, shown: Any) -> Any:
        """The setting's value for what the widget holds."""
        return shown


@dataclass(frozen=True)
class Choice(Field):
    """One of a few values; ``titles`` names each for people."""

    titles: Mapping[str, str]


@dataclass(frozen=True)
class Number(Field):
    """A number; ``empty`` says what leaving it out means, and None that it cannot be left out.

    ``least``: None where there is no lower bound.
    """

    least: float | None
    step: float
    empty: str | None = None

    @property
    def whole(self) -> bool:
        return isinstance(self.step, int)

    def shown(self, value: Any) -> Any:
        return value if value is None or self.whole else float(value)


@dataclass(frozen=True)
class Share(Field):
    """A number from 0 to 1, on a slider."""

    def shown(self, value: Any) -> Any:
        return float(value)


@dataclass(frozen=True)
class Text(Field):
    """Words; ``empty`` says what an empty entry means. ``optional``: an empty entry is no value, not an empty text."""

    empty: str = ""
    optional: bool = False

    def shown(self, value: Any) -> Any:
        return value or ""

    def value(self, shown: Any) -> Any:
        return shown.strip() or (None if self.optional else "")


@dataclass(frozen=True)
class Lines(Field):
    """Several texts, one per line."""

    def shown(self, value: Any) -> Any:
        return "\n".join(value)

    def value(self, shown: Any) -> Any:
        return tuple(line.strip() for line in shown.splitlines() if line.strip())


@dataclass(frozen=True)
class Switch(Field):
    """On or off."""


@dataclass(frozen=True)
class Name(Field):
    """A name from a list that grows with the machine, or one that is typed, such as a folder."""
