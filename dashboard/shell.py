"""The frame around every page: login, navigation, title, errors. Started by :mod:`dashboard.app`."""

from pathlib import Path

import streamlit as st

from dashboard.navigation import menu
from dashboard.ui.login import ask_to_log_in, show_visitor
from dashboard.ui.messages import shown_errors

ICON = Path(__file__).resolve().parent / "assets" / "icon.svg"

st.set_page_config(page_title="BALLAD workbench", page_icon=str(ICON), layout="wide")
st.logo(str(ICON), size="large")

page = st.navigation(menu())
ask_to_log_in()
st.title("BALLAD workbench" if page.title == "Home" else page.title, anchor=False)
with shown_errors():
    page.run()
show_visitor()
