"""Buttons that change something: guests see them, disabled, with the reason."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard.access import why_not_edit
from dashboard.text import as_text


def change_button(
    label: str,
    *,
    disabled: bool = False,
    help: str | None = None,
    button: Callable[..., bool] = st.button,
    **options: Any,
) -> bool:
    """A button for a change. What it calls must ask :func:`dashboard.access.editor` again: this is a courtesy."""
    refusal = why_not_edit()
    if refusal is not None:
        disabled, help = True, as_text(refusal)
    return button(label, disabled=disabled, help=help, **options)
