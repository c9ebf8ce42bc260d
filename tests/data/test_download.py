import hashlib
import io
import socket
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ballad.data.download import Archive, alone_with, fetch, unpack
from ballad.errors import Cancelled, DataError
from ballad.events import CancelToken

CONTENT = bytes(range(256)) * 12_000  # three chunks


class Server(BaseHTTPRequestHandler):
    """Serves CONTENT, also from a given byte on; ``/cut.bin`` breaks off half-way."""

    def do_GET(self):
        self.server.ranges.append(self.headers.get("Range"))
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1]) if self.path != "/whole.bin" else 0
        self.send_response(206 if start else 200)
        self.end_headers()
        end = len(CONTENT) // 2 if self.path == "/cut.bin" and not start else len(CONTENT)
        self.wfile.write(CONTENT[start:end])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as served:
        served.ranges = []
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield served
        served.shutdown()


def archive(server, name="file.bin", content=CONTENT):
    url = f"http://127.0.0.1:{server.server_port}/{name}"
    return Archive(url, hashlib.md5(content).hexdigest(), len(CONTENT))


def get(server, folder, on_bytes=lambda done, size: None, cancel=None, **what):
    return fetch(archive(server, **what), folder, on_bytes, cancel or CancelToken())


def test_downloads_and_reports_bytes(server, tmp_path):
    seen = []
    path = get(server, tmp_path, lambda done, size: seen.append((done, size)))
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert [file.name for file in path.parent.iterdir()] == ["file.bin"]


def test_goes_on_where_the_connection_broke(server, tmp_path):
    with pytest.raises(DataError, match=r"cut.bin cannot be downloaded \(the connection ended after 1,536,000 of"):
        get(server, tmp_path, name="cut.bin")
    assert get(server, tmp_path, name="cut.bin").read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={len(CONTENT) // 2}-"]


def test_goes_on_after_a_cancel(server, tmp_path):
    token = CancelToken()
    with pytest.raises(Cancelled):
        get(server, tmp_path, lambda done, size: token.cancel(), token)
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert server.ranges[1].startswith("bytes=")


def test_a_server_that_cannot_resume_sends_the_whole(server, tmp_path):
    (tmp_path / "whole.bin.part").write_bytes(b"half")
    assert get(server, tmp_path, name="whole.bin").read_bytes() == CONTENT


def test_a_wrong_checksum_leaves_nothing(server, tmp_path):
    with pytest.raises(DataError, match=r"file.bin had the wrong checksum and was deleted"):
        get(server, tmp_path, content=b"something else")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_file_of_the_user_s_stays(server, tmp_path):
    (tmp_path / "file.bin").write_bytes(b"mine")
    with pytest.raises(DataError, match=r"file.bin has the wrong checksum; delete the file to download it again"):
        get(server, tmp_path)
    assert (tmp_path / "file.bin").read_bytes() == b"mine"


def test_a_server_that_speaks_no_http(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            connection, _ = listening.accept()
            connection.recv(1000)
            connection.sendall(b"no such protocol\r\n\r\n")
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        strange = Archive(f"http://127.0.0.1:{listening.getsockname()[1]}/file.bin", "0" * 32, 10)
        with pytest.raises(DataError, match=r"file.bin cannot be downloaded \(.*\); try again"):
            fetch(strange, tmp_path, lambda done, size: None, CancelToken())


def test_a_root_that_cannot_be_made(server, tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(DataError, match=r"The folder .*file/root cannot be made or written to: Not a directory"),
        alone_with(archive(server), tmp_path / "file" / "root", CancelToken()),
    ):
        pytest.fail("there is no such folder")


def test_a_file_that_is_there_is_checked_and_not_fetched(server, tmp_path):
    (tmp_path / "file.bin").write_bytes(CONTENT)
    get(server, tmp_path)
    assert server.ranges == []


def test_no_server(tmp_path):
    nowhere = Archive("http://127.0.0.1:9/file.bin", "0" * 32, 10)
    with pytest.raises(DataError, match=r"127.0.0.1:9/file.bin cannot be downloaded \(Connection refused\); try again"):
        fetch(nowhere, tmp_path, lambda done, size: None, CancelToken())


def tar_of(path, *names, kind=tarfile.REGTYPE, link=""):
    with tarfile.open(path, "w:gz") as archived:
        for name in names:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, link
            member.size = 3 if kind == tarfile.REGTYPE else 0
            archived.addfile(member, io.BytesIO(b"abc"))
    return path


def zip_of(path, *names):
    with zipfile.ZipFile(path, "w") as archived:
        for name in names:
            archived.writestr(name, b"abc")
    return path


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_unpacks_over_an_incomplete_folder(tmp_path, pack):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "one").write_text("broken")
    (tmp_path / "set" / "classnames.txt").write_text("the user's")
    unpack(pack(tmp_path / "a.bin", "set/one", "set/deep/two"), tmp_path)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"a.bin", "set/one", "set/deep/two", "set/classnames.txt"}
    assert (tmp_path / "set" / "one").read_text() == "abc"


@pytest.mark.parametrize(
    "make",
    [
        lambda path: tar_of(path, "set/ok", "../escaped"),
        lambda path: tar_of(path, "set/link", kind=tarfile.SYMTYPE, link="../../escaped"),
        lambda path: zip_of(path, "set/ok", "../escaped"),
        lambda path: zip_of(path, "/escaped"),
    ],
)
def test_members_that_would_leave_the_folder(tmp_path, make):
    folder = tmp_path / "root"
    folder.mkdir()
    with pytest.raises(DataError, match=r"The archive .*a.bin was not unpacked: .*outside"):
        unpack(make(folder / "a.bin"), folder)
    assert [path.name for path in folder.iterdir()] == ["a.bin"]
    assert not (tmp_path / "escaped").exists()


def test_a_damaged_archive(tmp_path):
    path = tar_of(tmp_path / "a.bin", "set/one")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"cannot be unpacked: .*; delete it and try again"):
        unpack(path, tmp_path)
    assert not (tmp_path / "set").exists()
