"""Kaleido's session, which keeps its page from figure to figure: loading Plotly again takes longer than drawing."""

from typing import Any

from kaleido import Kaleido

from dashboard.exports.page import PrintedPage


class Session(Kaleido):
    """Plotly clears away what it drew, so that the next figure finds the page as the first did."""

    def __init__(self, timeout: float) -> None:
        super().__init__(timeout=timeout, page_generator=PrintedPage(mathjax=False))

    async def _return_kaleido_tab(self, tab: Any) -> None:
        tab.js_logger.reset()
        await self.tabs_ready.put(tab)
