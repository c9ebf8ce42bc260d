"""Overwritten files are noticed, whatever their size and times; touched and copied ones are what they were."""

import json
import os
import shutil
import time

import numpy as np
import pytest

from ballad.data import contents
from ballad.data.catalog import load_dataset
from ballad.errors import DataError
from ballad.home import default_home
from ballad.sections import DatasetSettings

LONG_AGO = 1_500_000_000
NAMES = [
    f"{split}/{label}/{number}.png" for split in ("train", "test") for label in ("cat", "dog") for number in (0, 1)
]


@pytest.fixture
def folder(tmp_path, write_picture):
    """Eight pictures whose times lie well behind."""
    for name in NAMES:
        put(write_picture(tmp_path / "pets" / name))
    return tmp_path / "pets"


def put(path, data=None, when=LONG_AGO):
    """Give a file these bytes and this time of change, in seconds."""
    if data is not None:
        path.write_bytes(data)
    os.utime(path, (when, when))


def other(path):
    """Bytes of the same number that are not the file's."""
    return bytes(255 - byte for byte in path.read_bytes())


def fingerprint(folder, **settings):
    return load_dataset(DatasetSettings(source=str(folder), **settings)).fingerprint


@pytest.fixture
def reads(monkeypatch):
    """The files whose contents were read, in order of their names."""
    read = []
    digests = contents._read

    def counted(memory, files, indices):
        read.extend(files.names[index] for index in indices)
        return digests(memory, files, indices)

    monkeypatch.setattr(contents, "_read", counted)
    return read


def test_an_ordinary_set_has_the_fingerprint_of_its_names_and_sizes(folder):
    for name in NAMES:
        put(folder / name, b"0123456789")
    assert fingerprint(folder) == "03c5a34221529de0"


def test_another_content_of_the_same_size_is_another_set_until_the_old_one_is_back(folder):
    before, path = fingerprint(folder), folder / NAMES[0]
    old, new = path.read_bytes(), other(path)
    put(path, new, when=LONG_AGO + 60)
    changed = fingerprint(folder)
    assert changed != before
    put(path, old, when=LONG_AGO + 120)
    assert fingerprint(folder) == before
    put(path, new, when=LONG_AGO + 180)
    assert fingerprint(folder) == changed


def test_another_content_under_the_same_time_is_noticed(folder):
    before, path = fingerprint(folder), folder / NAMES[5]
    put(path, other(path))
    assert fingerprint(folder) != before


def test_a_file_may_change_within_the_grain_of_the_clock(folder):
    path = folder / NAMES[0]
    now = time.time()
    put(path, when=now)
    before = fingerprint(folder)
    state = os.stat(path)
    put(path, other(path), when=now)
    assert os.stat(path).st_size == state.st_size and os.stat(path).st_mtime_ns == state.st_mtime_ns
    assert fingerprint(folder) != before


def test_which_file_changed_and_to_what_makes_a_difference(folder):
    found = {fingerprint(folder)}
    for name in (NAMES[0], NAMES[7]):
        path = folder / name
        old = path.read_bytes()
        for new in (other(path), old[:-1] + b"?"):
            put(path, new, when=LONG_AGO + 60)
            found.add(fingerprint(folder))
        put(path, old)
    assert len(found) == 5


def test_a_touched_set_is_the_same(folder):
    before = fingerprint(folder)
    for name in NAMES:
        put(folder / name, when=LONG_AGO + 60)
    assert fingerprint(folder) == before


def test_a_copy_elsewhere_is_the_same_if_its_contents_are(folder, tmp_path):
    before = fingerprint(folder)
    shutil.copytree(folder, tmp_path / "copy", copy_function=shutil.copyfile)
    assert fingerprint(tmp_path / "copy") == before
    path = tmp_path / "copy" / NAMES[2]
    path.write_bytes(other(path))
    assert fingerprint(tmp_path / "copy") != before == fingerprint(folder)


def test_unchanged_files_are_read_once(folder, reads, monkeypatch):
    monkeypatch.setattr(contents, "_CLOCK_GRAIN_NS", -1)  # the files were made just now, whatever their times say
    fingerprint(folder)
    assert sorted(reads) == sorted(NAMES)
    reads.clear()
    fingerprint(folder)
    fingerprint(folder, validation_per_class=1)
    assert reads == []
    put(folder / NAMES[3], other(folder / NAMES[3]))
    fingerprint(folder)
    assert reads == [NAMES[3]]


class TestSetsTooLargeToBeRead:
    """Each file has 10 bytes, and no more than 25 are read at once."""

    @pytest.fixture(autouse=True)
    def little_at_once(self, folder, monkeypatch):
        monkeypatch.setattr(contents, "READ_AT_ONCE", 25)
        for name in NAMES:
            put(folder / name, b"0123456789")

    def test_they_are_not_read_when_they_are_first_met(self, folder, reads):
        assert fingerprint(folder) == fingerprint(folder)
        assert reads == []

    def test_a_change_is_noticed_by_the_time(self, folder, reads):
        before = fingerprint(folder)
        put(folder / NAMES[0], b"9876543210", when=LONG_AGO + 60)
        changed = fingerprint(folder)
        assert changed != before and set(reads) == {NAMES[0]}
        put(folder / NAMES[0], when=LONG_AGO + 120)  # its content is known by now
        assert fingerprint(folder) == changed
        put(folder / NAMES[0], b"0123456789")
        assert fingerprint(folder) == before

    def test_many_changes_are_told_by_their_times_alone(self, folder, reads):
        before = fingerprint(folder)
        for name in NAMES[:4]:
            put(folder / name, when=LONG_AGO + 60)
        assert fingerprint(folder) != before
        assert fingerprint(folder) == fingerprint(folder)
        assert reads == []

    def test_a_copy_that_keeps_the_times_is_the_same(self, folder, tmp_path):
        before = fingerprint(folder)
        shutil.copytree(folder, tmp_path / "copy")
        assert fingerprint(tmp_path / "copy") == before


def keep_stage(fingerprint, begun):
    stage = default_home() / "stages" / "features" / "0123"
    stage.mkdir(parents=True)
    manifest = {"inputs": {"dataset": fingerprint, "split": "test"}, "created": begun + 50, "seconds": 50}
    (stage / "manifest.json").write_text(json.dumps(manifest))


def test_what_changed_before_anything_was_remembered_is_told_by_the_age_of_the_stages(folder):
    before = fingerprint(folder)
    (default_home() / "contents.sqlite").unlink()
    keep_stage(before, begun=LONG_AGO + 1000)
    put(folder / NAMES[0], when=LONG_AGO + 999)
    assert fingerprint(folder) == before
    (default_home() / "contents.sqlite").unlink()
    put(folder / NAMES[0], other(folder / NAMES[0]), when=LONG_AGO + 1010)
    changed = fingerprint(folder)
    assert changed != before
    put(folder / NAMES[0], when=LONG_AGO + 2000)
    assert fingerprint(folder) == changed


def test_stages_of_other_sets_and_damaged_ones_say_nothing(folder):
    before = fingerprint(folder)
    (default_home() / "contents.sqlite").unlink()
    keep_stage("0123456789abcdef", begun=0)
    damaged = default_home() / "stages" / "towers" / "0" / "manifest.json"
    damaged.parent.mkdir(parents=True)
    for text in ("", "[]", "{}", '{"inputs": []}'):
        damaged.write_text(text)
        assert fingerprint(folder) == before


def test_unreadable_pictures_are_looked_at_again_when_they_changed(folder):
    path = folder / NAMES[0]
    whole = path.read_bytes()
    put(path, b"x" * len(whole), when=LONG_AGO + 60)
    skipped = load_dataset(DatasetSettings(source=str(folder), skip_unreadable=True))
    put(path, whole, when=LONG_AGO + 120)
    mended = load_dataset(DatasetSettings(source=str(folder), skip_unreadable=True))
    assert (len(skipped.train), len(mended.train)) == (3, 4)


def test_a_home_that_cannot_be_written_remembers_nothing(folder, tmp_path, monkeypatch):
    before = fingerprint(folder)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BALLAD_HOME", str(tmp_path / "file" / "home"))
    assert fingerprint(folder) == before


def test_a_damaged_memory_ends_in_a_sentence(folder):
    fingerprint(folder)
    (default_home() / "contents.sqlite").write_bytes(b"nonsense" * 1000)
    with pytest.raises(DataError, match=r"contents.sqlite cannot be used .*; try again, or delete it if it is damaged"):
        fingerprint(folder)


def test_a_memory_that_can_only_be_read(folder):
    before = fingerprint(folder)
    path, picture = default_home() / "contents.sqlite", folder / NAMES[0]
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        assert fingerprint(folder) == before
        put(picture, other(picture), when=LONG_AGO + 60)
        assert fingerprint(folder) != before
    finally:
        path.parent.chmod(0o755)


def test_sets_without_files_are_left_alone():
    demo = load_dataset(DatasetSettings(source="demo", classes=2))
    assert np.array_equal(demo.train.pixels, load_dataset(DatasetSettings(source="demo", classes=2)).train.pixels)
    assert not (default_home() / "contents.sqlite").exists()
