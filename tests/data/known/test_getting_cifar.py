"""CIFAR from a server on this machine: fetched, checked, unpacked and read."""

import hashlib
import io
import pickle
import tarfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from torchvision.datasets import CIFAR10, CIFAR100

from ballad.data.catalog import CATALOG
from ballad.data.download import Archive
from ballad.data.known.cifar import Cifar10LT
from ballad.errors import Cancelled
from ballad.events import CancelToken


class Quiet(SimpleHTTPRequestHandler):
    """Counts the requests, and answers none before ``may_answer`` is set."""

    def do_GET(self):
        self.server.requests += 1
        self.server.may_answer.wait(30)
        super().do_GET()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "served"))) as served:
        served.requests, served.may_answer = 0, threading.Event()
        served.may_answer.set()
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield served
        served.may_answer.set()
        served.shutdown()


@pytest.fixture
def entry(server, tmp_path):
    """CIFAR-10 with two pictures per class in each file, as a server on this machine has it."""
    served = tmp_path / "served"
    served.mkdir()
    labels = list(range(10)) * 2
    pixels = np.random.default_rng(0).integers(0, 256, (20, 3072), dtype=np.uint8)
    files = {name: {"data": pixels, "labels": labels} for name in (*Cifar10LT.train_files, Cifar10LT.test_file)}
    files[Cifar10LT.meta_file] = {"label_names": [f"class_{label}" for label in range(10)]}
    with tarfile.open(served / "cifar-10-python.tar.gz", "w:gz") as packed:
        for name, content in files.items():
            member, data = tarfile.TarInfo(f"cifar-10-batches-py/{name}"), pickle.dumps(content, protocol=2)
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))
    content = (served / "cifar-10-python.tar.gz").read_bytes()
    url = f"http://127.0.0.1:{server.server_port}/cifar-10-python.tar.gz"

    class FromThisMachine(Cifar10LT):
        archive = Archive(url, hashlib.md5(content).hexdigest(), len(content))

    return FromThisMachine()


def test_from_nothing_to_a_dataset(entry, tmp_path):
    assert entry.status().state == "downloadable"
    assert entry.download() == tmp_path / "root" / "cifar-10-batches-py"
    assert entry.status().state == "present"
    found = entry.load()
    assert len(found.train) == 100 and found.class_names[3] == "class 3"
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["cifar-10-batches-py"]


def test_an_archive_that_the_user_brought_is_unpacked_and_kept(entry, tmp_path):
    (tmp_path / "root").mkdir()
    brought = tmp_path / "root" / "cifar-10-python.tar.gz"
    brought.write_bytes((tmp_path / "served" / brought.name).read_bytes())
    (tmp_path / "served" / brought.name).unlink()
    entry.download()
    assert entry.status().state == "present" and brought.exists()


def test_who_comes_second_waits_for_the_first_and_downloads_nothing(entry, server, tmp_path):
    server.may_answer.clear()
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(entry.download) for _ in range(2)]
        assert not wait(both, timeout=1).done and server.requests == 1
        server.may_answer.set()
        assert {one.result(30) for one in both} == {tmp_path / "root" / "cifar-10-batches-py"}
    assert server.requests == 1 and entry.status().state == "present"
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["cifar-10-batches-py"]


def test_who_waits_for_another_s_download_can_be_cancelled(entry, server):
    server.may_answer.clear()
    cancel = CancelToken()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(entry.download)
        while not server.requests:
            time.sleep(0.01)
        second = pool.submit(entry.download, cancel=cancel)
        assert not wait([second], timeout=0.5).done
        cancel.cancel()
        assert isinstance(second.exception(10), Cancelled)
        server.may_answer.set()
        first.result(30)
    assert entry.status().state == "present"


@pytest.mark.parametrize(("name", "known"), [("cifar10-lt", CIFAR10), ("cifar100-lt", CIFAR100)])
def test_addresses_and_checksums_are_torchvision_s(name, known):
    archive = CATALOG[name].archive
    assert (archive.url, archive.md5) == (known.url, known.tgz_md5)
