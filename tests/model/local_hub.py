"""A small stand-in for the Hugging Face hub, on this machine."""

import hashlib
from http.server import BaseHTTPRequestHandler

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """Serves ``files``, by path such as ``owner/name/resolve/main/file``."""

    files: dict[str, bytes]

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        path = self.path.lstrip("/").partition("?")[0].replace(f"/resolve/{COMMIT}/", "/resolve/main/")
        body = self.files.get(path)
        self.send_response(404 if body is None else 200)
        if body is None:
            known = any(name.startswith(path.partition("/resolve/")[0] + "/") for name in self.files)
            self.send_header("X-Error-Code", "EntryNotFound" if known else "RepoNotFound")
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha1(body or b"").hexdigest()}"')
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        if with_body and body:
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass
