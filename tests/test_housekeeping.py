"""What prune removes, what it keeps, and what becomes of one that is killed."""

import os
import shutil
import time
from pathlib import Path

import pytest

from ballad.events import CancelToken, StageFinished, ignore
from ballad.experiment import Experiment
from ballad.home import run_dir
from ballad.housekeeping import prune, tidy, unused_stages
from ballad.stages.plan import Plan
from ballad.stages.run_folder import RunFolder
from ballad.stages.stage_store import Stage, StageStore
from ballad.store import queries
from ballad.store.run_store import RunStore
from ballad.work.uploads import is_kept, keep_upload
from tests.helpers.outdated import outdate

UNUSED = [Stage("features", {"split": split}) for split in ("train", "val", "test")]


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """One kept run and one deleted run, with folders, and three stages that no run needs."""
    store = RunStore(tmp_path)
    for seed in (0, 1):
        run_id = store.create(Experiment(seed=seed))
        run_dir(tmp_path, run_id).mkdir(parents=True)
        (run_dir(tmp_path, run_id) / "result.json").write_text("{}")
    store.delete(run_id)
    stages = StageStore(tmp_path)
    for stage in UNUSED:
        stages.obtain(
            stage,
            lambda folder: (folder / "features.npy").write_bytes(b"1234"),
            device="cpu",
            on_event=ignore,
            cancel=CancelToken(),
        )
    return store


def test_what_no_run_needs_goes_and_what_a_run_has_stays(store):
    prune(unused_stages(store.home), store.home)
    (kept,) = queries.runs(store)["id"]
    assert [path.name for path in run_dir(store.home, "").iterdir()] == [kept]
    assert queries.runs(store, deleted=True).empty
    assert not [path for path in (store.home / "stages").rglob("*") if path.is_file()]


@pytest.mark.parametrize("killed_at", range(5))
def test_a_prune_that_is_killed_is_finished_by_the_next(store, monkeypatch, killed_at):
    calls = []
    remove = shutil.rmtree

    def killed(path: Path, **options: object) -> None:
        if not Path(path).exists():
            return
        if len(calls) == killed_at:
            raise KeyboardInterrupt
        calls.append(path)
        remove(path, **options)

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", killed)
        if killed_at < 4:
            with pytest.raises(KeyboardInterrupt):
                prune(unused_stages(store.home), store.home)
        else:
            prune(unused_stages(store.home), store.home)
    prune(unused_stages(store.home), store.home)
    test_what_no_run_needs_goes_and_what_a_run_has_stays(store)


def test_uploads_stay_as_long_as_somebody_looks_at_them(tmp_path):
    old, recent = keep_upload(tmp_path, b"old"), keep_upload(tmp_path, b"recent")
    two_months_ago = time.time() - 60 * 86_400
    os.utime(tmp_path / "uploads" / old, (two_months_ago, two_months_ago))
    tidy(tmp_path)
    assert is_kept(tmp_path, recent) and not is_kept(tmp_path, old)


def test_a_run_of_another_release_keeps_the_stages_that_it_used(store):
    (kept,) = queries.runs(store)["id"]
    plan = Plan(Experiment(), "dataset", "backbone", has_validation=False)
    RunFolder(run_dir(store.home, kept)).write_plan(plan)
    used, *unused = UNUSED
    store.record(kept, StageFinished(used.kind, used.key, 1.0, reused=False))
    outdate(store, kept)
    assert set(unused_stages(store.home)["key"]) == {stage.key for stage in unused}
    prune(unused_stages(store.home), store.home)
    assert [path.name for path in (store.home / "stages" / used.kind).iterdir() if path.is_dir()] == [used.key]
