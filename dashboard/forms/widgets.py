"""Shows a setting's entry; its state lies in the session, where :mod:`dashboard.forms.session` fills it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.forms.session import entry_key
from dashboard.settings.field_kinds import Choice, Field, Lines, Name, Number, Share, Switch, Text
from dashboard.settings.fields import FIELDS


class Entries:
    """Shows entries and collects their values.

    disabled : why settings do not apply, by name; their entries are shown disabled, with the reason.
    """

    def __init__(self, disabled: Mapping[str, str]) -> None:
        self._disabled = disabled
        self.values: dict[str, Any] = {}

    def ask(self, path: str, *, names: Sequence[str] = (), on_change: Callable[[], None] | None = None) -> None:
        """Show one entry; ``names`` are those to choose from where the setting is a name."""
        field, why = FIELDS[path], self._disabled.get(path)
        common = {
            "key": entry_key(path),
            "disabled": why is not None,
            "help": f"**{why}** {field.help}" if why else field.help,
        }
        shown = _show(field, {**common, **({"on_change": on_change} if on_change else {})}, names)
        self.values[path] = field.value(shown)

    def ask_in_columns(self, paths: Iterable[str], columns: int = 2) -> None:
        """Show entries side by side, row by row."""
        paths = list(paths)
        for first in range(0, len(paths), columns):
            for column, path in zip(st.columns(columns, vertical_alignment="bottom"), paths[first:], strict=False):
                with column:
                    self.ask(path)


def _show(field: Field, common: dict[str, Any], names: Sequence[str]) -> Any:
    match field:
        case Choice():
            return st.selectbox(field.label, list(field.titles), format_func=field.titles.__getitem__, **common)
        case Name():
            present = st.session_state[common["key"]]
            options = list(dict.fromkeys([*names, present]))
            return st.selectbox(field.label, options, accept_new_options=True, **common)
        case Share():
            return st.slider(field.label, 0.0, 1.0, step=0.01, **common)
        case Number():
            return _show_number(field, common)
        case Text():
            return st.text_input(field.label, placeholder=field.empty, **common)
        case Lines():
            return st.text_area(field.label, placeholder="a photo of a {}.", height=68, **common)
        case Switch():
            return st.checkbox(field.label, **common)
    raise AssertionError(f"no widget for {field}")


def _show_number(field: Number, common: dict[str, Any]) -> Any:
    if field.empty is not None:
        # Only a widget that starts empty can be emptied again.
        common = {**common, "value": None, "placeholder": field.empty}
    return st.number_input(
        field.label,
        min_value=None if field.least is None else int(field.least) if field.whole else float(field.least),
        step=field.step,
        format="%d" if field.whole else "%g",
        **common,
    )
