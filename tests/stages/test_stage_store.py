import threading
from pathlib import Path

import pytest

from ballad.errors import Cancelled
from ballad.events import CancelToken, StageFinished, StageStarted, ignore
from ballad.stages import stage_store as module
from ballad.stages.stage_store import Stage, StageStore
from ballad.whole_files import write_whole

FIRST, SECOND = Stage("adapter", {"seed": 0}), Stage("adapter", {"seed": 1})


@pytest.fixture
def stages(tmp_path: Path) -> StageStore:
    return StageStore(tmp_path)


def obtain(stages, stage, compute, *, on_event=ignore, cancel=None):
    return stages.obtain(stage, compute, device="cpu", on_event=on_event, cancel=cancel or CancelToken())


def write_number(folder: Path) -> None:
    (folder / "number").write_text("7")


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

    threads = [threading.Thread(target=obtain, args=(stages, FIRST, slow)) for _ in range(4)]
    for thread in threads:
        thread.start()
    entered.wait(10)
    release.set()
    for thread in threads:
        thread.join(10)
    assert computed == [1] and stages.present(FIRST)


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
