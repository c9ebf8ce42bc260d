"""``dashboard``: open the workbench."""

import argparse
import os
import sys

from ballad.package import DASHBOARD_APP


def add_commands(commands: argparse._SubParsersAction) -> None:
    dashboard = commands.add_parser(
        "dashboard",
        help="open the workbench in a browser",
        epilog="Streamlit's other settings are read from its environment variables, such as STREAMLIT_SERVER_HEADLESS.",
    )
    dashboard.add_argument("--port", type=int, default=8501, help="port to serve it at (default: 8501)")
    dashboard.set_defaults(command=_dashboard)


def _dashboard(options: argparse.Namespace) -> int:
    """Replace this process by the server, so that signals reach it directly."""
    command = [sys.executable, "-m", "streamlit", "run", str(DASHBOARD_APP), "--server.port", str(options.port)]
    os.execv(sys.executable, command)
