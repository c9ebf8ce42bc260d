"""The frame around every page: login, navigation, title, errors. Started by :mod:`dashboard.app`."""

from pathlib import Path

import streamlit as st

from dashboard.navigation import COMPARE, menu
from dashboard.pickers.current_run import choose_current_run
from dashboard.ui.login import ask_to_log_in, show_visitor
from dashboard.ui.machine_strip import show_machine
from dashboard.ui.messages import shown_errors

ICON = Path(__file__).resolve().parent / "assets" / "icon.svg"

st.set_page_config(page_title="BALLAD workbench", page_icon=str(ICON), layout="wide")
st.logo(str(ICON), size="large")

page = st.navigation(menu())
ask_to_log_in()
st.title("BALLAD workbench" if page.title == "Home" else page.title, anchor=False)
choose_current_run(page_follows=page.url_path != COMPARE.stem)
with st.sidebar:
    show_machine()
show_visitor()
# Last: a page that has nothing to show ends the script.
with shown_errors():
    page.run()
