"""A run on a disk that really is full, where this machine lets us make one."""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ballad import api
from ballad.errors import RunError
from ballad.store import queries
from ballad.store.run_store import RunStore
from tests.helpers.tiny_experiment import tiny_experiment

SECONDS_UNTIL_FULL = 120


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Gives a folder that holds so much, ``300k``; later again, the same folder with room for more."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def with_room(size: str) -> Path:
        options = f"size={size}" + ",remount" * folder.is_mount()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("no file system can be mounted here")
        return folder

    yield with_room
    if folder.is_mount():
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_run_on_a_full_disk_says_so_and_goes_on_when_there_is_room(
    disk: Callable[[str], Path], tmp_path: Path, tiny_images: Path, tiny_backbone: Path
) -> None:
    experiment = tiny_experiment(tiny_images, tiny_backbone)
    expected = api.run(experiment, home=tmp_path / "undisturbed").accuracies
    home, told = disk("600k"), []

    def run() -> None:
        with pytest.raises(RunError) as raised:
            api.run(experiment, home=home)
        told.append(str(raised.value))

    running = threading.Thread(target=run)
    running.start()
    deadline = time.monotonic() + SECONDS_UNTIL_FULL
    while running.is_alive() and shutil.disk_usage(home).free and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(1)  # for the run to notice; then its end can be written
    disk("40m")
    running.join(SECONDS_UNTIL_FULL)
    assert told == [f"The disk that holds {home} is full; free some space, then resume the run."]
    store = RunStore(home)
    run_row = queries.runs(store).iloc[0]
    assert (run_row["status"], run_row["error"]) == ("failed", told[0])
    (run_id,) = store.resume(run_row["id"])
    columns = ["model", "split", "many", "medium", "few", "all"]
    found = api.finish_here(store, run_id).accuracies
    assert found[columns].equals(expected[columns])


def test_a_store_that_cannot_be_made_on_a_full_disk_says_so(disk: Callable[[str], Path]) -> None:
    with pytest.raises(RunError, match="is full; free some space"):
        RunStore(disk("40k"))
