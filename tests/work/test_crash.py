"""Runs that are killed, terminated or out of disk space end, once resumed, with the numbers of undisturbed ones."""

import errno
import os
import random
import time
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from ballad.api import finish_here
from ballad.errors import BalladError
from ballad.experiment import Experiment
from ballad.home import run_dir, stages_dir
from ballad.store import queries
from ballad.store.run_store import RunStore
from tests.helpers.tiny_experiment import tiny_experiment
from tests.helpers.worker_processes import start


def finish_in_process(store: RunStore, run_id: str) -> None:
    process = start(store, run_id)
    process.join(200)
    assert process.exitcode == 0
    assert store.get(run_id).status == "done", store.get(run_id).error


@pytest.fixture(scope="module")
def experiment(tiny_images: Path, tiny_backbone: Path) -> Experiment:
    return tiny_experiment(tiny_images, tiny_backbone, phase_a__epochs=4)


@dataclass(frozen=True)
class Undisturbed:
    """A finished run, and how often it changed the store."""

    store: RunStore
    run_id: str
    changes: int


@pytest.fixture(scope="module")
def undisturbed(experiment: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    store = RunStore(tmp_path_factory.mktemp("undisturbed"))
    run_id = store.create(experiment)
    begin = store.version(run_id)
    finish_in_process(store, run_id)
    return Undisturbed(store, run_id, store.version(run_id) - begin)


def result_files(home: Path) -> dict[str, bytes]:
    """The content of all stages, but for their manifests, which hold times."""
    root = stages_dir(home)
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".lock" and path.name != "manifest.json"
    }


def curves(store: RunStore, run_id: str) -> list[tuple]:
    table = queries.epoch_metrics(store, [run_id])
    return list(table[["phase", "epoch", "name", "value"]].itertuples(index=False, name=None))


def file_names(store: RunStore, run_id: str) -> list[str]:
    folder = run_dir(store.home, run_id)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def assert_same(store: RunStore, run_id: str, undisturbed: Undisturbed) -> None:
    """The same numbers to the last bit, and nothing left lying about."""
    reference, reference_id = undisturbed.store, undisturbed.run_id
    assert store.get(run_id).status == "done"
    assert result_files(store.home) == result_files(reference.home)
    columns = ["model", "split", "many", "medium", "few", "all"]
    expected = queries.results(reference, [reference_id])[columns]
    assert queries.results(store, [run_id])[columns].equals(expected)
    assert curves(store, run_id) == curves(reference, reference_id)
    assert file_names(store, run_id) == file_names(reference, reference_id)
    assert store.database.read("PRAGMA integrity_check")[0][0] == "ok"
    assert not store.database.read("PRAGMA foreign_key_check")


def wait_for_changes(store: RunStore, run_id: str, process: ForkServerProcess, changes: int) -> None:
    """Until the run has told the store so much, or has ended."""
    begin = store.version(run_id)
    while process.is_alive() and store.version(run_id) - begin < changes:
        time.sleep(0.001)


@pytest.mark.parametrize("chance", range(4))
def test_run_killed_at_three_random_moments(
    tmp_path: Path, experiment: Experiment, undisturbed: Undisturbed, chance: int
) -> None:
    moments = random.Random(chance)
    kills = rounds = 0
    while kills < 3:
        rounds += 1
        store = RunStore(tmp_path / str(rounds))
        run_id = store.create(experiment)
        while kills < 3 and store.get(run_id).status != "done":
            process = start(store, run_id)
            wait_for_changes(store, run_id, process, moments.randrange(undisturbed.changes))
            process.join(moments.uniform(0, 0.05))
            kills += process.is_alive()
            process.kill()
            process.join()
            store.interrupt_orphans()
            assert store.get(run_id).status in ("queued", "interrupted", "done"), store.get(run_id).error
            store.resume(run_id)
        if store.get(run_id).status != "done":
            finish_in_process(store, run_id)
        assert_same(store, run_id, undisturbed)


def test_run_terminated_at_four_random_moments(
    tmp_path: Path, experiment: Experiment, undisturbed: Undisturbed
) -> None:
    """A request that comes in a run's last moments may find it done, which is then checked; another run goes on."""
    moments = random.Random(0)
    interruptions = rounds = 0
    while interruptions < 4:
        rounds += 1
        store = RunStore(tmp_path / str(rounds))
        run_id = store.create(experiment)
        while interruptions < 4 and store.get(run_id).status != "done":
            process = start(store, run_id)
            wait_for_changes(store, run_id, process, 1 + moments.randrange(undisturbed.changes // 4))
            process.terminate()
            process.join(100)
            run = store.get(run_id)
            assert run.status in ("interrupted", "done") and run.error is None, run
            if run.status == "interrupted":
                interruptions += 1
                store.resume(run_id)
        if store.get(run_id).status != "done":
            finish_in_process(store, run_id)
        assert_same(store, run_id, undisturbed)


def test_disk_that_fills_up_at_every_write(
    store: RunStore,
    experiment: Experiment,
    undisturbed: Undisturbed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every file gets its name by a rename, so the first rename to each name is made to fail once."""
    failed_at: set[str] = set()
    rename = os.replace

    def rename_on_a_full_disk(source: str | Path, target: str | Path) -> None:
        if str(target) not in failed_at:
            failed_at.add(str(target))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(source))
        rename(source, target)

    monkeypatch.setattr(os, "replace", rename_on_a_full_disk)
    run_id = store.create(experiment)
    attempts = 0
    while store.get(run_id).status != "done":
        attempts += 1
        before = len(failed_at)
        try:
            finish_here(store, run_id)
        except (OSError, BalladError):
            assert len(failed_at) > before
            assert "is full; free some space, then resume the run." in str(store.get(run_id).error)
            assert store.resume(run_id) == [run_id]
    assert attempts > 10
    assert any("checkpoint" in target for target in failed_at)
    assert_same(store, run_id, undisturbed)
