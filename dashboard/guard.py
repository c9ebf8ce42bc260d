"""What every request passes first: checks of the host name and the login, and headers that restrict how pages are used.

Streamlit checks the host of its websocket alone, and the login in the script that draws pages.
"""

import ipaddress

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from dashboard.access import BEHIND_LOGIN, behind_login, has_login, holds_login
from dashboard.addresses import address, below_prefix

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Names that users give can hold addresses: nothing is fetched from elsewhere.
    "Content-Security-Policy": "frame-ancestors 'self'; base-uri 'self'; object-src 'none'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:",
}


class Guard:
    """ASGI middleware: 403 for other hosts, 401 for files without the login, security headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = _refusal(HTTPConnection(scope))
        if refusal is None:
            await self.app(scope, receive, send_guarded)
        elif scope["type"] == "http":
            await refusal(scope, receive, send_guarded)
        else:
            await send({"type": "websocket.close", "code": 1008})


def _refusal(request: HTTPConnection) -> Response | None:
    if not is_host_allowed(request.headers.get("host")):
        sentence = "This server does not answer to that host name; server.allowedHosts lists the names it accepts."
        return PlainTextResponse(sentence, status_code=403)
    if request.url.path.startswith((address(""), below_prefix("media/"))) and has_login() and not holds_login(request):
        return PlainTextResponse("Log in on a page of the workbench first.", status_code=401)
    return None


def refuse_open_network() -> None:
    """SystemExit if other machines could reach the server without a login."""
    listens_on = config.get_option("server.address")
    if _is_loopback(listens_on) or has_login() or behind_login():
        return
    raise SystemExit(
        f"The workbench does not listen on {listens_on or 'all addresses'} without a login: whoever reaches it could "
        "start and delete runs. Start it with --server.address=127.0.0.1, or set up a login (docs/sharing.md); where a "
        f"proxy in front asks for one, say so with {BEHIND_LOGIN}=1."
    )


def _is_loopback(listens_on: str | None) -> bool:
    if listens_on == "localhost":
        return True
    try:
        return listens_on is not None and ipaddress.ip_address(listens_on).is_loopback
    except ValueError:
        return False
