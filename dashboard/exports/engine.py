"""One headless Chromium for all pictures of a process: the first takes seconds, later ones a fraction of a second."""

import asyncio
import atexit
import threading
from collections.abc import Coroutine
from contextlib import suppress
from functools import cache
from typing import Any

import plotly.graph_objects as go

from ballad.errors import RunError

_TIMEOUT_SECONDS = 60
NO_ENGINE = (
    "Drawing PNG, SVG and PDF files needs Chromium or Chrome, and this machine has neither. Install one, or use the "
    "figure's camera button (PNG) or the HTML file."
)


def has_engine() -> bool:
    """Whether this machine has a browser that can draw."""
    from choreographer.browsers import Chromium

    return Chromium.find_browser(skip_local=False) is not None


def draw(figure: go.Figure, options: dict[str, Any]) -> bytes:
    """The figure as a file; ``options`` are kaleido's: format, width and height in pixels, scale.

    Raises RunError where no browser is found, or where it cannot draw the figure.
    """
    if not has_engine():
        raise RunError(NO_ENGINE)
    return _engine().draw(figure, options)


@cache
def _engine() -> "_Engine":
    return _Engine()


class _Engine:
    """Kaleido on an event loop of its own thread, so that any thread may ask, and a browser that hangs is replaced."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._one_at_a_time = threading.Lock()
        self._kaleido: Any = None
        threading.Thread(target=self._loop.run_forever, name="figure-engine", daemon=True).start()
        atexit.register(self._stop)

    def draw(self, figure: go.Figure, options: dict[str, Any]) -> bytes:
        with self._one_at_a_time:
            try:
                return self._wait(self._draw(figure, options))
            except Exception as error:
                self._stop()
                reason = str(error) or f"Chromium did not answer within {_TIMEOUT_SECONDS} seconds"
                raise RunError(f"The figure could not be drawn as {options['format'].upper()}: {reason}.") from error

    async def _draw(self, figure: go.Figure, options: dict[str, Any]) -> bytes:
        if self._kaleido is None:
            from dashboard.exports.session import Session

            self._kaleido = Session(_TIMEOUT_SECONDS)
            await self._kaleido.open()
        return await self._kaleido.calc_fig(figure, opts=options)

    def _stop(self) -> None:
        if self._kaleido is not None:
            with suppress(Exception):
                self._wait(self._kaleido.close())
            self._kaleido = None

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_TIMEOUT_SECONDS)
