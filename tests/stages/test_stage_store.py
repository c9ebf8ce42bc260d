import hashlib
import json
import platform
import shutil
import threading
from importlib.metadata import distributions, version
from pathlib import Path

import pytest

from ballad.errors import Cancelled, RunError
from ballad.events import CancelToken, Notice, StageFinished, StageStarted, ignore
from ballad.stages import stage_store as module
from ballad.stages.stage_store import STAGE_VERSIONS, Stage, StageStore
from ballad.whole_files import write_whole

INSTALLED = {distribution.name for distribution in distributions()}
FIRST, SECOND = Stage("adapter", {"seed": 0}), Stage("adapter", {"seed": 1})


@pytest.fixture
def stages(tmp_path: Path) -> StageStore:
    return StageStore(tmp_path)


def obtain(stages, stage, compute, *, on_event=ignore, cancel=None):
    return stages.obtain(stage, compute, device="cpu", on_event=on_event, cancel=cancel or CancelToken())


def write_number(folder: Path) -> None:
    (folder / "number").write_text("7")


@pytest.mark.parametrize(
    "kind",
    [kind for kind in STAGE_VERSIONS if kind != "adapter"],
)
def test_every_kind_of_stage_has_a_key_of_its_own(kind):
    assert Stage(kind, {}).key not in {FIRST.key, Stage("adapter", {}).key}


def test_the_key_follows_from_kind_and_inputs_and_not_from_their_order():
    assert Stage("features", {"a": 1, "b": 2}).key == Stage("features", {"b": 2, "a": 1}).key
    keys = {FIRST.key, SECOND.key, Stage("towers", {"seed": 0}).key}
    assert len(keys) == 3


def test_a_stage_is_computed_once_and_told_of(stages):
    events = []
    for _ in range(2):
        folder = obtain(stages, FIRST, write_number, on_event=events.append)
    assert (folder / "number").read_text() == "7"
    assert [type(event) for event in events] == [StageStarted, StageFinished, StageFinished]
    assert [event.reused for event in events[1:]] == [False, True]
    manifest = stages.manifest(FIRST)
    assert manifest["inputs"] == {"seed": 0} and manifest["device"] == "cpu" and "torch" in manifest["libraries"]


def test_what_an_attempt_left_is_there_at_the_next_and_nothing_counts_until_it_is_whole(stages):
    def break_off(folder: Path) -> None:
        (folder / "part").write_text("kept")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        obtain(stages, FIRST, break_off)
    assert not stages.present(FIRST)
    assert list(stages.table()["state"]) == ["partial"]

    seen = []
    obtain(stages, FIRST, lambda folder: seen.append((folder / "part").read_text()))
    assert seen == ["kept"]
    assert list(stages.table()["state"]) == ["finished"]


def test_two_who_need_the_same_stage_compute_it_once(stages):
    entered, release, computed = threading.Event(), threading.Event(), []

    def slow(folder: Path) -> None:
        computed.append(1)
        entered.set()
        release.wait(10)

    events = []
    arguments = {"on_event": events.append}
    threads = [threading.Thread(target=obtain, args=(stages, FIRST, slow), kwargs=arguments) for _ in range(4)]
    for thread in threads:
        thread.start()
    entered.wait(10)
    release.set()
    for thread in threads:
        thread.join(10)
    assert computed == [1] and stages.present(FIRST)
    assert sorted(event.reused for event in events if isinstance(event, StageFinished)) == [False, True, True, True]


def test_who_waits_for_a_stage_can_be_cancelled(stages):
    entered, release = threading.Event(), threading.Event()

    def slow(folder: Path) -> None:
        entered.set()
        release.wait(10)

    computing = threading.Thread(target=obtain, args=(stages, FIRST, slow))
    computing.start()
    entered.wait(10)
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        obtain(stages, FIRST, write_number, cancel=cancel)
    release.set()
    computing.join(10)


def test_companions_come_along_once_and_only_where_missing(stages):
    obtain(stages, SECOND, write_number)
    third = Stage("adapter", {"seed": 2})
    filled = []

    def compute(folders):
        filled.extend(folders)
        for folder in folders.values():
            write_number(folder)

    stages.obtain_together(FIRST, [SECOND, third], compute, device="cpu", on_event=ignore, cancel=CancelToken())
    assert filled == [FIRST.key, third.key]
    assert all(stages.present(stage) for stage in (FIRST, SECOND, third))


def test_removal_takes_everything_of_a_stage(stages, tmp_path):
    obtain(stages, FIRST, write_number)
    stages.remove(FIRST.kind, FIRST.key)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def forget_digests(stages: StageStore, stage: Stage) -> None:
    """Leave the manifest as releases without digests wrote it."""
    path = stages.folder(stage) / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["files"]
    path.write_text(json.dumps(manifest, indent=2))


def cut_short(folder: Path) -> None:
    (folder / "number").write_bytes(b"")


DAMAGES = {
    "a flipped byte": lambda folder: flip_a_byte(folder / "number"),
    "a file cut short": cut_short,
    "a lost file": lambda folder: (folder / "number").unlink(),
    "a lost manifest": lambda folder: (folder / "manifest.json").unlink(),
    "half a manifest": lambda folder: (folder / "manifest.json").write_text('{"kind": "adapter", '),
    "another stage's manifest": lambda folder: (folder / "manifest.json").write_text('{"key": "0123", "bytes": 1}'),
    "a manifest of another form": lambda folder: (folder / "manifest.json").write_text('{"files": [7]}'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_stage_that_is_not_what_was_computed_is_absent_and_computed_anew(stages, damage):
    folder = obtain(stages, FIRST, write_number)
    DAMAGES[damage](folder)
    assert not stages.present(FIRST)
    with pytest.raises(RunError, match=f"stage adapter {FIRST.key} .*; run the experiment again"):
        stages.kept(FIRST)

    events = []
    obtain(stages, FIRST, write_number, on_event=events.append)
    said = [event.message for event in events if isinstance(event, Notice)]
    assert len(said) == 1 and said[0].endswith("; it is computed anew.")
    assert (stages.kept(FIRST) / "number").read_text() == "7"
    obtain(stages, FIRST, write_number, on_event=events.append)
    assert events[-1] == StageFinished("adapter", FIRST.key, 0.0, reused=True)


@pytest.mark.parametrize("name", ["", ".partial"])
def test_a_file_in_place_of_a_stages_folder_gives_way(stages, name):
    (stages.root / "adapter").mkdir(parents=True)
    (stages.root / "adapter" / f"{FIRST.key}{name}").write_text("not a folder")
    obtain(stages, FIRST, write_number)
    assert stages.present(FIRST)


def test_a_manifest_without_digests_holds_for_files_that_are_all_there(stages):
    folder = obtain(stages, FIRST, write_number)
    forget_digests(stages, FIRST)
    assert stages.present(FIRST)
    (folder / "number").unlink()
    assert not stages.present(FIRST)


def test_files_are_read_once_for_each_state_they_are_in(stages, monkeypatch):
    folder = obtain(stages, FIRST, write_number)
    read = []
    digest = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda file, name: read.append(file.name) or digest(file, name))
    assert stages.present(FIRST) and stages.present(FIRST) and not read
    (folder / "number").write_text("7")
    assert stages.present(FIRST) and stages.present(FIRST)
    assert read == [str(folder / "number")]


def test_digests_are_those_of_sha256sum(stages):
    obtain(stages, FIRST, write_number)
    expected = "7902699be42c8a8e46fbbb4501726517e86b22c56a189f7625a6da49081b2451"
    assert stages.manifest(FIRST)["files"] == {"number": {"bytes": 1, "sha256": expected}}


def test_a_removal_that_is_cut_off_blocks_nothing_and_is_finished_later(stages, monkeypatch):
    obtain(stages, FIRST, write_number)

    def killed(folder: Path, **options: object) -> None:
        if Path(folder).exists():
            (Path(folder) / "number").unlink()
            raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(shutil, "rmtree", killed)
        stages.remove(FIRST.kind, FIRST.key)
    assert not stages.present(FIRST) and stages.table().empty
    obtain(stages, FIRST, write_number)
    assert stages.present(FIRST)

    stages.remove_leftovers()
    assert [path.name for path in (stages.root / "adapter").iterdir()] == [FIRST.key]


def test_no_lock_files_stay_behind(stages):
    def compute(folders):
        for folder in folders.values():
            write_number(folder)

    stages.obtain_together(FIRST, [SECOND], compute, device="cpu", on_event=ignore, cancel=CancelToken())
    (stages.root / "adapter" / "of a process that was killed.lock").touch()
    stages.remove_leftovers()
    assert not list(stages.root.rglob("*.lock"))


def test_one_of_several_that_cannot_be_computed_takes_no_other_along(stages):
    third = Stage("adapter", {"seed": 2})

    def compute(folders):
        for folder in folders.values():
            write_number(folder)
        return {SECOND.key: RunError("the second diverged")}

    together = {"device": "cpu", "on_event": ignore, "cancel": CancelToken()}
    stages.obtain_together(FIRST, [SECOND, third], compute, **together)
    assert stages.present(FIRST) and stages.present(third)
    assert not stages.present(SECOND) and len(stages.table()) == 2
    stages.remove(FIRST.kind, FIRST.key)
    with pytest.raises(RunError, match="the second diverged"):
        stages.obtain_together(SECOND, [FIRST], compute, **together)
    assert stages.present(FIRST) and not stages.present(SECOND)


def test_a_file_is_whole_or_not_there(tmp_path):
    def break_off(path: Path) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    target = tmp_path / "file"
    with pytest.raises(OSError):
        write_whole(target, break_off)
    assert not target.exists()


def test_stages_can_be_listed_while_one_is_computed(stages, monkeypatch):
    obtain(stages, FIRST, write_number)

    def size_of_a_folder_that_is_renamed_meanwhile(folder: Path) -> int:
        if folder.name.endswith(".partial"):
            raise FileNotFoundError
        return 7

    def list_meanwhile(folder: Path) -> None:
        monkeypatch.setattr(module, "_size", size_of_a_folder_that_is_renamed_meanwhile)
        assert list(stages.table()["key"]) == [FIRST.key]
        monkeypatch.undo()

    obtain(stages, SECOND, list_meanwhile)
    assert len(stages.table()) == 2


def test_manifests_hold_the_versions_of_what_can_change_a_number(stages):
    obtain(stages, FIRST, write_number)
    packages = ("torch", "torchvision", "open_clip_torch", "timm", "numpy", "pandas", "umap-learn", "openTSNE")
    installed = {package: version(package) for package in packages if package in INSTALLED}
    assert stages.manifest(FIRST)["libraries"] == {"python": platform.python_version(), **installed}
