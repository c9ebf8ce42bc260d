"""The workbench: ``streamlit run dashboard/app.py``.

Holds what lives as long as the server: the queue's workers, started and stopped with it, and the routes besides the
pages. What a reader sees is in :mod:`dashboard.shell`.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

HERE = Path(__file__).resolve().parent
# Streamlit looks for modules in this folder; the packages lie beside it.
sys.path.insert(0, str(HERE.parent))

from ballad.home import default_home  # noqa: E402
from ballad.store.run_store import RunStore  # noqa: E402
from ballad.work.host_memory import keep_freed_memory  # noqa: E402
from ballad.work.jobs import JobManager  # noqa: E402
from ballad.work.precedence import give_way  # noqa: E402
from dashboard.guard import Guard, refuse_open_network  # noqa: E402
from dashboard.routes import routes  # noqa: E402
from dashboard.ui.messages import show_error  # noqa: E402


@asynccontextmanager
async def workers(app: st.App) -> AsyncIterator[None]:
    """Work on the queue for as long as the server is up."""
    keep_freed_memory()
    manager = JobManager(RunStore(default_home()))
    await asyncio.to_thread(manager.start)
    give_way()  # scripts and websockets run in this thread and its descendants, the workers do not
    try:
        yield
    finally:
        await asyncio.to_thread(manager.stop)


refuse_open_network()
app = st.App(
    HERE / "shell.py",
    lifespan=workers,
    routes=routes(),
    middleware=[Middleware(Guard)],
    on_script_error=show_error,
)
