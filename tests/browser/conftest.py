"""A real server, a real Chromium, and what every page must keep to: no exception box, nothing on the console."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, expect, sync_playwright

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Streamlit asks below the address of the page before it asks at the root.
PROBES = ("/_stcore/health", "/_stcore/host-config")
PATIENCE_MS = 480_000
"""Waits end as soon as they can; on a busy machine a page takes its time."""

_EVERY_CHART_IS_DRAWN = """
[...document.querySelectorAll("[data-testid=stBidiComponentRegular]")].every(chart => chart.querySelector(".main-svg"))
"""

Look = Literal["light", "dark"]
OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a workbench of its own, with an empty home folder."""
    with running_server(tmp_path_factory.mktemp("home")) as address:
        yield address


@contextmanager
def running_server(
    home: Path, *options: str, prefix: str = "", folder: Path = ROOT, port: int | None = None
) -> Iterator[str]:
    """The address of a workbench that works in ``home``, started from ``folder`` with these options."""
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard" / "app.py")]
    options = ("--server.port", str(port), "--server.headless", "true", *options)
    environment = {**os.environ, "BALLAD_HOME": str(home), "OMP_NUM_THREADS": "1"}
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen([*command, *options], cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}{prefix}/_stcore/health", process, home / "server.log")
        yield f"http://127.0.0.1:{port}{prefix}"
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(PATIENCE_MS // 250):
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, TimeoutError):
            assert process.poll() is None, f"The server ended:\n{log.read_text()}"
            time.sleep(0.25)
    pytest.fail(f"The server did not answer:\n{log.read_text()}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser on this machine: none of {', '.join(BROWSERS)} was found")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def contexts(browser: Browser) -> dict[Look, BrowserContext]:
    """A reader who prefers each look; what the pages load is kept between tests, as in a browser that stays open."""
    looks: tuple[Look, ...] = get_args(Look)
    size: ViewportSize = {"width": 1280, "height": 900}
    contexts = {look: browser.new_context(viewport=size, color_scheme=look) for look in looks}
    for context in contexts.values():
        context.set_default_timeout(PATIENCE_MS)
    return contexts


@pytest.fixture
def open_page(server: str, contexts: dict[Look, BrowserContext]) -> Iterator[OpenPage]:
    """``open_page("runs", "run=…")`` opens a page in a tab of its own and waits until it is drawn.

    After the test, no page of it may show an exception or have written an error to the console.
    """
    complaints: list[str] = []
    pages: list[Page] = []

    def listen(message: ConsoleMessage) -> None:
        probed = message.location.get("url", "").endswith(PROBES)
        if message.type == "error" and not probed:
            complaints.append(f"{message.text} ({message.location.get('url')})")

    def open_page(name: str = "", query: str = "", *, look: Look = "light") -> Page:
        page = contexts[look].new_page()
        pages.append(page)
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{server}/{name}" + (f"?{query}" if query else ""))
        settled(page)
        return page

    yield open_page
    for page in pages:
        expect(page.get_by_test_id("stException")).to_have_count(0)
        page.close()
    assert not complaints


def settled(page: Page) -> None:
    """Wait until the page's script has run and every chart on it is drawn."""
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible()
    expect(page.get_by_test_id("stMainBlockContainer")).not_to_be_empty()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.wait_for_function(_EVERY_CHART_IS_DRAWN)
