"""The hub's client against a small hub of our own on this machine."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ballad.errors import BackboneError, Cancelled
from ballad.model.backbone import load_backbone
from ballad.model.hub import cached_file, fetch_file
from ballad.sections import BackboneSettings
from tests.model.conftest import WriteBackbone


def test_a_file_is_downloaded_once_and_progress_told(hub_files: dict[str, bytes]):
    hub_files["owner/model/resolve/main/weights.bin"] = bytes(300_000)
    told: list[tuple[int, int | None]] = []
    path = fetch_file("owner/model", ["weights.bin"], lambda done, total: told.append((done, total)))
    assert path.read_bytes() == bytes(300_000)
    assert told[-1] == (300_000, 300_000)
    hub_files.clear()
    assert fetch_file("owner/model", ["weights.bin"]) == path == cached_file("owner/model", ["weights.bin"])


def test_a_download_can_be_cancelled_and_taken_up_again(hub_files: dict[str, bytes]):
    hub_files["owner/model/resolve/main/weights.bin"] = bytes(30_000_000)

    def cancel(done: int, total: int | None) -> None:
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        fetch_file("owner/model", ["weights.bin"], cancel)
    assert cached_file("owner/model", ["weights.bin"]) is None
    assert fetch_file("owner/model", ["weights.bin"]).stat().st_size == 30_000_000


def test_a_cancelled_download_does_not_hold_up_those_of_other_threads(hub_files: dict[str, bytes]):
    hub_files["owner/model/resolve/main/weights.bin"] = bytes(300_000)

    def cancel(done: int, total: int | None) -> None:
        raise Cancelled

    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        with pytest.raises(Cancelled):
            first.submit(fetch_file, "owner/model", ["weights.bin"], cancel).result(30)
        second.submit(fetch_file, "owner/model", ["weights.bin"], lambda done, total: None).result(30)


def test_who_wants_a_file_that_is_being_downloaded_waits_and_can_give_up(hub_files: dict[str, bytes]):
    hub_files["owner/model/resolve/main/weights.bin"] = bytes(300_000)
    begun, go_on = threading.Event(), threading.Event()
    downloads: list[int] = []

    def hold(done: int, total: int | None) -> None:
        downloads.append(done)
        begun.set()
        go_on.wait(10)

    def give_up(done: int, total: int | None) -> None:
        raise Cancelled

    def note(done: int, total: int | None) -> None:
        downloads.append(done)

    with ThreadPoolExecutor() as pool:
        first = pool.submit(fetch_file, "owner/model", ["weights.bin"], hold)
        assert begun.wait(30)
        with pytest.raises(Cancelled):
            fetch_file("owner/model", ["weights.bin"], give_up)
        del downloads[:]
        second = pool.submit(fetch_file, "owner/model", ["weights.bin"], note)
        assert not wait([second], timeout=0.5).done
        assert set(downloads) == {0}, "told of nothing but the wait"
        go_on.set()
        assert first.result(30) == second.result(30)
    assert first.result().read_bytes() == bytes(300_000)


def test_the_first_file_that_the_repository_has_is_taken(hub_files: dict[str, bytes]):
    hub_files["owner/model/resolve/main/second.bin"] = b"2"
    hub_files["owner/model/resolve/main/third.bin"] = b"3"
    assert fetch_file("owner/model", ["first.bin", "second.bin", "third.bin"]).name == "second.bin"


def test_a_repository_without_the_file_says_so(hub_files: dict[str, bytes]):
    hub_files["owner/model/resolve/main/readme"] = b"1"
    with pytest.raises(BackboneError, match=r"owner/model has none of the files weights\.bin"):
        fetch_file("owner/model", ["weights.bin"])


def test_a_repository_that_does_not_exist_is_named(hub_files: dict[str, bytes]):
    with pytest.raises(BackboneError, match="no repository owner/typo"):
        fetch_file("owner/typo", ["weights.bin"])


def test_a_backbone_of_the_hub_is_loaded_with_its_configuration(
    hub_files: dict[str, bytes], write_backbone: WriteBackbone
):
    folder = write_backbone("resnet")
    for file in folder.iterdir():
        hub_files[f"owner/tiny/resolve/main/{file.name}"] = file.read_bytes()
    backbone = load_backbone(BackboneSettings(name="hf-hub:owner/tiny"), seed=0)
    same = load_backbone(BackboneSettings(name=str(folder)), seed=0).tower_state()
    assert all(tensor.equal(same[name]) for name, tensor in backbone.tower_state().items())


@pytest.mark.usefixtures("no_hub")
def test_without_a_network_the_file_and_three_ways_are_named():
    with pytest.raises(BackboneError) as error:
        load_backbone(BackboneSettings(name="RN50"), seed=0)
    sentence = str(error.value)
    assert "open_clip_model.safetensors of huggingface.co/timm/resnet50_clip.openai is not on this machine" in sentence
    for way in ("connect this machine", "--set backbone.pretrained=PATH", "--backbone FOLDER"):
        assert way in sentence


@pytest.mark.usefixtures("no_hub")
def test_without_a_network_random_towers_can_still_be_built():
    random = BackboneSettings(name="ViT-S-32-alt", image_tower="random", text_tower="random")
    assert load_backbone(random, seed=0).embed_dim == 256


@pytest.mark.usefixtures("no_hub")
def test_without_a_network_a_hugging_face_tokenizer_is_named():
    # Of the SigLIP models; it is fetched beside the weights, and needs a package of its own.
    random = BackboneSettings(name="ViT-B-16-SigLIP2", image_tower="random", text_tower="random")
    with pytest.raises(BackboneError, match=r"timm/ViT-B-16-SigLIP2"):
        load_backbone(random, seed=0)


def test_the_hub_is_asked_for_the_file_and_nothing_else():
    asked: list[str] = []

    class Listening(BaseHTTPRequestHandler):
        def do_HEAD(self):
            asked.append(self.path)
            self.send_error(503)

        do_GET = do_HEAD

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Listening) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        program = "from ballad.model.hub import fetch_file; fetch_file('owner/model', ['weights.bin'])"
        environment = {**os.environ, "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
        environment.pop("HF_HUB_DISABLE_TELEMETRY", None)
        finished = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        server.shutdown()
    assert "the hub cannot be reached" in finished.stderr
    assert asked == ["/owner/model/resolve/main/weights.bin"]
