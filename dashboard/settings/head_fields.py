"""The form entries of the options of Phase B's methods, as each method's own settings describe them."""

from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from ballad.heads import HEADS
from ballad.heads.ballad import Ballad
from ballad.heads.head import Head
from dashboard.settings.field_kinds import Choice, Field, Number, Share, Switch


def entry_of_option(method: str, option: str) -> str:
    """The entry of an option, as :data:`dashboard.settings.fields.FIELDS` names it.

    Those of BALLAD are settings of Phase B; other methods may each have an option of the same name.
    """
    return f"phase_b.{option}" if method == Ballad.name else f"phase_b.options.{method}.{option}"


def entries_of(method: str) -> dict[str, str]:
    """The entries of a method's options, by option."""
    return {option: entry_of_option(method, option) for option in HEADS[method].Options.model_fields}


def head_fields(head: type[Head]) -> dict[str, Field]:
    """A field for each option of a method, by its entry."""
    options = head.Options.model_fields
    return {entry_of_option(head.name, option): _field(info) for option, info in options.items()}


def _field(info: FieldInfo) -> Field:
    label, help = str(info.title), str(info.description)
    hints: dict[str, Any] = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    if info.annotation is bool:
        return Switch(label, help)
    if get_origin(info.annotation) is Literal:
        return Choice(label, help, titles=hints.get("titles", {value: value for value in get_args(info.annotation)}))
    bounds: list[Any] = info.metadata
    least: Any = next((bound.ge for bound in bounds if isinstance(bound, Ge)), None)
    most = next((bound.le for bound in bounds if isinstance(bound, Le)), None)
    if info.annotation is float and (least, most) == (0, 1):
        return Share(label, help)
    if info.annotation in (int, float):
        return Number(label, help, least, hints.get("step", 1 if info.annotation is int else 0.1))
    raise TypeError(f"no kind of entry for the option '{label}'")
