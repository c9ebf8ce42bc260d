"""Where a page ends before its last line."""

from typing import NoReturn

import streamlit as st


def stop() -> NoReturn:
    """End the page here: what follows needs a choice or a result that is missing."""
    st.stop()
    raise AssertionError("st.stop() has returned")
