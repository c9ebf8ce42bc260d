"""How the server is reached: started from anywhere it keeps to itself; behind a proxy all addresses have the prefix."""

import asyncio
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlparse

import psutil
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PATIENCE_MS, PROBES, running_server, settled

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PREFIX = "/lab/ballad"


@contextmanager
def proxy(target: int) -> Iterator[str]:
    """A reverse proxy on another port that knows one prefix and answers 404 to all else; its address."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.split(b" ")[1].startswith(PREFIX.encode()):
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            writer.close()
            return
        if b"upgrade: websocket" not in head.lower():
            # One request a connection, so that every path is looked at.
            head = head.replace(b"Connection: keep-alive", b"Connection: close")
        behind, to_server = await asyncio.open_connection("127.0.0.1", target)
        to_server.write(head)
        await asyncio.gather(pipe(reader, to_server), pipe(behind, writer), return_exceptions=True)

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(serve, "127.0.0.1", 0), loop).result()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{PREFIX}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def test_behind_a_proxy_with_a_prefix_charts_and_pictures_are_found(browser: Browser, tmp_path):
    with (
        running_server(tmp_path, f"--server.baseUrlPath={PREFIX}", prefix=PREFIX) as address,
        proxy(urlparse(address).port or 0) as outside,
    ):
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(PATIENCE_MS)
        asked: list[tuple[int, str]] = []
        page.on("response", lambda answer: asked.append((answer.status, answer.url)))
        page.goto(f"{outside}/data?dataset=demo")
        settled(page)
        expect(page.locator(".ballad-chart .main-svg").first).to_be_visible()
        page.get_by_role("tab", name="Pictures").click()
        pictures = page.locator(".gallery img")
        expect(pictures.first).to_be_visible()
        page.wait_for_function("document.querySelector('.gallery img').naturalWidth > 0")
        page.goto(f"{outside}/")
        settled(page)
        page.context.close()
    missing = [url for status, url in asked if status >= 400 and not url.endswith(PROBES)]
    assert not missing
    assert any("/workbench/plotly-" in url for _, url in asked) and any(
        "/workbench/pictures/" in url for _, url in asked
    )
    assert all(url.startswith(outside) for _, url in asked if url.startswith("http") and not url.endswith(PROBES))


def test_started_from_another_folder_it_listens_on_this_machine_alone(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    with running_server(tmp_path, folder=tmp_path / "elsewhere") as address:
        port = urlparse(address).port
        for own in own_addresses():
            with pytest.raises(ConnectionRefusedError), socket.create_connection((own, port), timeout=10):
                pass
        for path in ("/", "/_stcore/health", "/workbench/thumbnails/x/test/0"):
            request = urllib.request.Request(address + path, headers={"Host": "evil.example"})
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(request)
        with urllib.request.urlopen(address) as answer:
            assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
        assert handshake(port, "127.0.0.1", "http://127.0.0.1") == 101
        assert handshake(port, "127.0.0.1", "http://evil.example") == 403
        assert handshake(port, "evil.example", "http://evil.example") == 403


def own_addresses() -> set[str]:
    """Addresses of this machine that are not its loopback; perhaps none."""
    listed = [address for of_interface in psutil.net_if_addrs().values() for address in of_interface]
    found = {each.address for each in listed if each.family == socket.AF_INET}
    return {address for address in found if not address.startswith("127.")}


def handshake(port: int | None, host: str, origin: str) -> int:
    """The status with which the websocket answers."""
    lines = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host}:{port}",
        f"Origin: {origin}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: streamlit",
    ]
    with socket.create_connection(("127.0.0.1", port or 0), timeout=30) as stream:
        stream.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return int(stream.recv(64).split()[1])
