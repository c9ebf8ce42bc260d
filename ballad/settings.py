"""The base of all settings, the kinds of numbers they hold, and the sentence for a value that is refused."""

import reprlib
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import ErrorDetails

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Settings(BaseModel):
    """Frozen settings that refuse unknown fields, and numbers that are not finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def refusal(problem: ErrorDetails) -> str:
    """The sentence of one of pydantic's problems: the field, the value that was given, and what is allowed."""
    field = ".".join(map(str, problem["loc"])) or "settings"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    shown = "" if isinstance(problem["input"], dict) else f" = {_SHOWN.repr(problem['input'])}"
    return f"{field}{shown}: {message}."


# A file's anchors can make a few lines stand for more elements than there is memory to write down.
_SHOWN = reprlib.Repr()
_SHOWN.maxlist = 10
_SHOWN.maxstring = _SHOWN.maxother = 200
