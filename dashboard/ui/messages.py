"""Errors and empty places, written for people."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from ballad.errors import BalladError
from dashboard.settings.fields import FIELDS
from dashboard.text import sentence_as_text

_SETTING = re.compile(rf"(?<!--set )\b({'|'.join(re.escape(path) for path in FIELDS if '.' in path)})\b")


def show_error(error: Exception) -> bool:
    """Show a user's error as its one sentence; False, and nothing shown, for any other error."""
    if not isinstance(error, BalladError):
        return False
    show_sentence(str(error))
    return True


def show_sentence(sentence: str) -> None:
    """Show the sentence of an error, with the name that forms have for a setting beside the setting's own."""
    st.error(_with_labels(sentence), icon=":material/error:")


def show_caution(sentence: str) -> None:
    """Show a sentence about something that does not work as it seems, worded as by :func:`show_sentence`."""
    st.warning(_with_labels(sentence), icon=":material/warning:")


def _with_labels(sentence: str) -> str:
    named = _SETTING.sub(lambda setting: f"“{FIELDS[setting[0]].label}” ({setting[0]})", sentence)
    return sentence_as_text(named)


@contextmanager
def shown_errors() -> Iterator[None]:
    """Errors that a user can cause end the block with their sentence instead of a traceback."""
    try:
        yield
    except BalladError as error:
        show_error(error)


def empty_state(title: str, text: str, icon: str) -> None:
    """What is shown before there are results: what belongs here, and how to get it. Buttons may follow."""
    with st.container(border=True, horizontal_alignment="center", gap="xsmall"):
        st.space("small")
        st.markdown(f"#### {icon} {title}", text_alignment="center", width="content")
        st.markdown(text, text_alignment="center", width="content")
        st.space("small")
