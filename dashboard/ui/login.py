"""Logging in and out, and who is logged in; empty if the server has no login."""

import streamlit as st

from dashboard.access import has_login, visitor, why_not_edit
from dashboard.text import as_text
from dashboard.ui.stop import stop


def ask_to_log_in() -> None:
    """Ends the page here, with a button to log in, for those who have not."""
    if not has_login() or visitor() is not None:
        return
    st.title("BALLAD workbench", anchor=False)
    st.markdown("This workbench is shared: log in to see it.")
    st.button("Log in", type="primary", icon=":material/login:", on_click=st.login)
    stop()


def show_visitor() -> None:
    """Who is logged in and what they may do, at the foot of the menu."""
    who = visitor()
    if who is None:
        return
    with st.sidebar:
        role = "editor" if why_not_edit() is None else "guest, can view everything"
        st.caption(f"{as_text(who)}, {role}")
        st.button("Log out", icon=":material/logout:", type="tertiary", on_click=st.logout)
