"""An OpenID Connect provider in a few lines: whoever clicks a name is logged in as that."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlparse

from joserfc import jwt
from joserfc.jwk import RSAKey

PEOPLE = ("ada@example.org", "eve@elsewhere.org")
CLIENT = ("workbench", "a secret between the two")


@contextmanager
def provider() -> Iterator[str]:
    """The issuer's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Provider(BaseHTTPRequestHandler):
    key = RSAKey.generate_key(2048, {"kid": "1", "alg": "RS256", "use": "sig"})
    nonces: dict[str, str] = {}  # noqa: RUF012

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        asked = urlparse(self.path)
        query = {name: values[0] for name, values in parse_qs(asked.query).items()}
        if asked.path == "/.well-known/openid-configuration":
            places = {f"{name}_endpoint": f"{self.issuer}/{name}" for name in ("authorization", "token")}
            self._json({"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", **places})
        elif asked.path == "/keys":
            self._json({"keys": [self.key.as_dict(private=False)]})
        elif asked.path == "/authorization":
            assert query["client_id"] == CLIENT[0] and "openid" in query["scope"]
            self.nonces.update(dict.fromkeys(PEOPLE, query["nonce"]))
            links = "".join(f'<a href="{_back(query, who)}">{who}</a><br>' for who in PEOPLE)
            self._send(f"<!doctype html><title>Who are you?</title>{links}".encode(), "text/html")
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        basic = base64.b64encode(":".join(CLIENT).encode()).decode()
        assert self.headers["Authorization"] == f"Basic {basic}"
        who, now = form["code"][0], int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT[0], "sub": who, "iat": now, "exp": now + 600}
        claims |= {"nonce": self.nonces[who], "email": who, "email_verified": True}
        token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)
        self._json({"access_token": "none", "token_type": "Bearer", "expires_in": 600, "id_token": token})

    def _json(self, told: dict) -> None:
        self._send(json.dumps(told).encode(), "application/json")

    def _send(self, body: bytes, media_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _back(query: dict[str, str], who: str) -> str:
    return f"{query['redirect_uri']}?{urlencode({'code': who, 'state': query['state']})}".replace("&", "&amp;")
