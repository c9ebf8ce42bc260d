"""What every request passes first, asked as a client would ask."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from streamlit import config
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from dashboard.access import BEHIND_LOGIN, has_login
from dashboard.addresses import address
from dashboard.guard import SECURITY_HEADERS, Guard, refuse_open_network
from dashboard.routes import routes

ROOT = Path(__file__).parents[2]


@pytest.fixture
def set_option():
    """Sets options of the server, and puts them back."""
    before = {}

    def set_option(name, value):
        before.setdefault(name, config.get_option(name))
        config.set_option(name, value)

    yield set_option
    for name, value in before.items():
        config.set_option(name, value)


@pytest.fixture
def server(set_option):
    set_option("server.allowedHosts", ["localhost", "127.0.0.1"])

    async def page(request):
        return PlainTextResponse("a page")

    async def stream(socket):
        await socket.accept()
        await socket.send_text("hello")

    paths = [Route("/", page), Route(address("thumbnails/x"), page), WebSocketRoute("/stream", stream)]
    return TestClient(Starlette(routes=paths, middleware=[Middleware(Guard)]), base_url="http://localhost")


def test_every_answer_carries_the_security_headers(server):
    for path in ("/", "/missing", address("thumbnails/x")):
        answer = server.get(path)
        assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "10.0.0.1:8501", "user@localhost", ""])
def test_other_hosts_are_refused_on_every_route_and_the_websocket(server, host):
    for path in ("/", address("thumbnails/x")):
        answer = server.get(path, headers={"host": host})
        assert answer.status_code == 403 and "allowedHosts" in answer.text
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with pytest.raises(WebSocketDisconnect), server.websocket_connect("/stream", headers={"host": host}):
        pass


@pytest.mark.parametrize("host", ["localhost", "localhost:8501", "127.0.0.1:9"])
def test_the_servers_own_names_are_answered(server, host):
    assert server.get("/", headers={"host": host}).status_code == 200
    with server.websocket_connect("/stream", headers={"host": host}) as stream:
        assert stream.receive_text() == "hello"


@pytest.fixture
def login(tmp_path, monkeypatch, set_option):
    """A login in secrets.toml, as the server would read it."""
    set_option("secrets.files", [str(tmp_path / "secrets.toml")])
    (tmp_path / "secrets.toml").write_text('[auth]\ncookie_secret = "of a test, and long enough"\nclient_id = "x"\n')
    st.secrets._reset()
    assert has_login()
    yield
    (tmp_path / "secrets.toml").unlink()
    st.secrets._reset()


def cookie(told) -> str:
    return create_signed_value(get_cookie_secret(), "_streamlit_user", json.dumps(told)).decode()


def test_pictures_need_the_login_that_pages_ask_for(server, login):
    picture = address("thumbnails/x")
    assert server.get(picture).status_code == 401
    server.cookies.set("_streamlit_user", "forged")
    assert server.get(picture).status_code == 401
    server.cookies.set("_streamlit_user", cookie({"is_logged_in": True, "email": "ada@example.org"}))
    assert server.get(picture).status_code == 200
    # The page itself asks who is there.
    assert server.get("/").status_code == 200


@pytest.mark.parametrize("listens_on", [None, "", "0.0.0.0", "::", "192.168.1.7", "workbench.example"])
def test_a_server_that_others_could_reach_without_a_login_does_not_start(set_option, monkeypatch, listens_on):
    set_option("server.address", listens_on)
    with pytest.raises(SystemExit, match=r"--server\.address=127\.0\.0\.1"):
        refuse_open_network()
    monkeypatch.setenv(BEHIND_LOGIN, "1")
    refuse_open_network()


@pytest.mark.parametrize("listens_on", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_alone_needs_no_login(set_option, listens_on):
    set_option("server.address", listens_on)
    refuse_open_network()


def test_with_a_login_others_may_reach_it(set_option, login):
    set_option("server.address", "0.0.0.0")
    refuse_open_network()


def test_routes_follow_the_prefix(set_option):
    set_option("server.baseUrlPath", "/lab/ballad/")
    assert all(route.path.startswith("/lab/ballad/workbench/") for route in routes())
    assert address("thumbnails/a/test/0") == "/lab/ballad/workbench/thumbnails/a/test/0"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_started_open_from_another_folder_it_ends_with_the_sentence(tmp_path):
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard" / "app.py")]
    command += ["--server.headless=true", "--server.address=0.0.0.0", f"--server.port={free_port()}"]
    environment = {name: value for name, value in os.environ.items() if name != BEHIND_LOGIN}
    environment["BALLAD_HOME"] = str(tmp_path / "home")
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert ended.returncode != 0
    assert "does not listen on 0.0.0.0 without a login" in ended.stderr + ended.stdout
    assert not (tmp_path / "home").exists()
