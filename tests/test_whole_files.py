"""Files and folders at every moment at which a process can be killed."""

import os
import shutil
from pathlib import Path

import pytest

from ballad.whole_files import name_whole, remove_whole, write_text_whole, write_whole


def test_a_file_that_cannot_be_finished_leaves_the_old_one_and_nothing_else(tmp_path):
    target = tmp_path / "file"
    write_text_whole(target, "old")

    def break_off(path: Path) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_whole(target, break_off)
    assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]


def test_content_is_on_the_disk_before_the_name_and_the_name_before_the_return(tmp_path, monkeypatch):
    steps = []
    flush, rename = os.fsync, os.replace

    def fsync(handle: int) -> None:
        steps.append(Path(os.readlink(f"/proc/self/fd/{handle}")).name)
        flush(handle)

    def replace(source: Path, target: Path) -> None:
        steps.append(f"rename to {target.name}")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    work = tmp_path / "work"
    work.mkdir()
    (work / "inside").write_text("7")
    name_whole(work, tmp_path / "result")
    assert steps == ["work", "inside", "rename to result", tmp_path.name]


def test_a_link_to_the_file_that_has_the_name_already_is_no_trouble(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_text("7")
    for _ in range(2):
        write_whole(target, lambda path: os.link(source, path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "target"]


@pytest.mark.parametrize("kind", ["folder", "file", "link to a folder", "nothing"])
def test_removal_takes_what_there_is_and_no_more(tmp_path, kind):
    path, elsewhere = tmp_path / "path", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    if kind == "folder":
        path.mkdir()
        (path / "file").touch()
    elif kind == "file":
        path.touch()
    elif kind == "link to a folder":
        path.symlink_to(elsewhere)
    remove_whole(path)
    assert list(tmp_path.iterdir()) == [elsewhere] and (elsewhere / "kept").exists()


def test_a_removal_that_is_cut_off_has_taken_the_name_first(tmp_path, monkeypatch):
    folder = tmp_path / "folder"
    folder.mkdir()

    def killed(path: Path, **options: object) -> None:
        if path.exists():
            raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(shutil, "rmtree", killed)
        remove_whole(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.removed"]
    folder.mkdir()
    remove_whole(folder)
    assert not list(tmp_path.iterdir())
