import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ballad.errors import RunError
from ballad.events import EpochEvaluated, Notice
from ballad.experiment import Experiment
from ballad.home import default_home, store_path
from ballad.store import queries
from ballad.store.owners import SILENCE_SECONDS, Owner, Watch
from ballad.store.run_store import RunStore
from ballad.store.schema import MIGRATIONS, STARTED_BY, migrate
from tests.helpers.claiming import claim

REQUESTS = ["auto", "cpu"]


def test_home_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BALLAD_HOME", str(tmp_path / "here"))
    assert default_home() == tmp_path / "here"
    monkeypatch.delenv("BALLAD_HOME")
    monkeypatch.chdir(tmp_path)
    assert default_home() == tmp_path / "runs"


def test_home_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"file/home cannot be created.*Set BALLAD_HOME"):
        RunStore(tmp_path / "file" / "home")


def test_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    store_path(tmp_path).write_text("not a database, but long enough to have a header " * 20)
    with pytest.raises(RunError, match=r"store\.sqlite cannot be used"):
        RunStore(tmp_path)


def test_store_of_a_later_release_is_refused_and_left_alone(store: RunStore) -> None:
    later = len(MIGRATIONS) + 1
    store.database.connection().execute(f"PRAGMA user_version = {later}")
    with pytest.raises(RunError, match="later release"):
        RunStore(store.home)
    assert store.database.read("PRAGMA user_version")[0][0] == later


def test_migration_that_fails_leaves_the_store_as_it_was(store: RunStore) -> None:
    store.create(Experiment(name="kept"))
    broken = [*MIGRATIONS, "ALTER TABLE runs ADD COLUMN extra TEXT;\nINSERT INTO nowhere VALUES (1);"]
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(store.database.connection(), store.database.path, broken)
    assert store.database.read("PRAGMA user_version")[0][0] == len(MIGRATIONS)
    assert "extra" not in store.database.read("SELECT * FROM runs")[0].keys()  # noqa: SIM118


def test_migration_keeps_what_is_there(store: RunStore) -> None:
    run_id = store.create(Experiment())
    migrate(
        store.database.connection(),
        store.database.path,
        [*MIGRATIONS, "ALTER TABLE runs ADD COLUMN extra TEXT DEFAULT 'x';"],
    )
    assert store.database.read("SELECT extra FROM runs WHERE id = ?", run_id)[0]["extra"] == "x"


def test_runs_of_an_earlier_release_name_nobody_who_started_them(tmp_path: Path) -> None:
    earlier = sqlite3.connect(store_path(tmp_path), isolation_level=None)
    migrate(earlier, store_path(tmp_path), MIGRATIONS[: MIGRATIONS.index(STARTED_BY)])
    texts = [
        "name",
        "key",
        "dataset",
        "backbone",
        "schedule",
        "budget",
        "final_model",
        "requested_device",
        "executor",
        "notes",
    ]
    values = dict.fromkeys(texts, "x") | {"id": "abc", "settings": "{}", "tags": "[]", "status": "done"}
    values |= dict.fromkeys(("seed", "priority", "created"), 0)
    marks = ", ".join("?" * len(values))
    earlier.execute(f"INSERT INTO runs ({', '.join(values)}) VALUES ({marks})", list(values.values()))
    earlier.close()
    store = RunStore(tmp_path)
    assert store.get("abc").started_by is None and store.get("abc").name == "x"
    started = store.on_behalf_of("ada@example.org").create(Experiment())
    assert queries.runs(store).set_index("id")["started_by"].to_dict()[started] == "ada@example.org"


def test_many_openers_of_a_new_store_all_succeed(tmp_path: Path) -> None:
    barrier = threading.Barrier(8)

    def open_and_create(seed: int) -> str:
        barrier.wait()
        return RunStore(tmp_path).create(Experiment(seed=seed))

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(open_and_create, range(8)))
    assert len(set(ids)) == 8
    assert len(queries.runs(RunStore(tmp_path))) == 8


def test_settings_survive_the_store(store: RunStore) -> None:
    experiment = Experiment(name="α run", notes="why").with_values({"phase_b.residual_factor": 0.35, "seed": 7})
    run = store.get(store.create(experiment, tags=["paper", " paper ", "λ"]))
    assert run.experiment == experiment
    assert (run.name, run.notes, run.tags, run.status) == ("α run", "why", ("paper", "λ"), "queued")


def test_ids_sort_by_creation_even_within_a_millisecond(store: RunStore) -> None:
    ids = [store.create(Experiment(seed=seed)) for seed in range(20)]
    group, more = store.create_group("sweep", [Experiment(seed=seed) for seed in range(20)])
    assert [*ids, group, *more] == sorted({*ids, group, *more})


def test_run_is_found_by_the_beginning_of_its_id(store: RunStore) -> None:
    first, second = store.create(Experiment()), store.create(Experiment())
    assert store.get(first).id == first
    common = next(first[:length] for length in range(8, 0, -1) if second.startswith(first[:length]))
    assert store.get(second[: len(common) + 1]).id == second
    with pytest.raises(RunError, match="Several runs"):
        store.get(common)
    with pytest.raises(RunError, match="There is no run 'nope'"):
        store.get("nope")
    with pytest.raises(RunError, match="There is no run ''"):
        store.get("")


def test_group_is_created_whole_or_not_at_all(store: RunStore) -> None:
    with pytest.raises(AttributeError):
        store.create_group("g", [Experiment(), None])  # type: ignore[list-item]
    assert queries.runs(store).empty
    assert not store.database.read("SELECT * FROM groups")


def test_claims_follow_age_and_the_device_asked_for(store: RunStore, owner: Owner) -> None:
    gpu = store.create(Experiment.parse({"runtime": {"device": "cuda:1"}}))
    first = store.create(Experiment())
    second = store.create(Experiment())
    assert [claim(store, owner).id, claim(store, owner).id] == [first, second]
    assert store.claim(owner, "cpu", requests=REQUESTS) is None
    claimed = store.claim(owner, "cuda:1", requests=["auto", "cuda", "cuda:1"])
    assert claimed is not None
    assert (claimed.id, claimed.device, claimed.status) == (gpu, "cuda:1", "running")


def test_exclusive_claim_waits_for_its_device(store: RunStore, owner: Owner) -> None:
    store.create(Experiment())
    store.create(Experiment())
    running = claim(store, owner)
    second = Owner.new()
    assert store.claim(second, "cpu", requests=REQUESTS, exclusive=True) is None
    elsewhere = replace(second, host="another-machine")
    assert store.claim(elsewhere, "cpu", requests=REQUESTS, exclusive=True) is not None
    store.create(Experiment())
    store.finish(running.id, owner, "done")
    assert store.claim(second, "cpu", requests=REQUESTS, exclusive=True) is not None


def test_run_claimed_by_many_at_once_goes_to_one(store: RunStore) -> None:
    run_id = store.create(Experiment())
    barrier = threading.Barrier(8)

    def try_to_claim(_: int) -> bool:
        barrier.wait()
        return store.claim(Owner.new(), "cpu", requests=REQUESTS, run_id=run_id) is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_to_claim, range(8))) == 1


def test_only_the_owner_ends_a_run(store: RunStore, owner: Owner) -> None:
    run_id = store.create(Experiment())
    claim(store, owner)
    assert not store.finish(run_id, Owner.new(), "failed", error="not yours")
    assert store.get(run_id).status == "running"
    assert store.finish(run_id, owner, "failed", error="The image a.png is damaged.", traceback="Traceback …")
    run = store.get(run_id)
    assert (run.status, run.error, run.owner) == ("failed", "The image a.png is damaged.", None)
    assert list(queries.log(store, run_id)["level"]) == ["error", "traceback"]
    assert not store.finish(run_id, owner, "done")


def test_ownership_can_be_handed_over_once(store: RunStore, owner: Owner) -> None:
    run_id = store.create(Experiment())
    claim(store, owner)
    child = Owner.new()
    assert store.hand_over(run_id, owner, child) is not None
    assert store.hand_over(run_id, owner, Owner.new()) is None
    assert store.beat(run_id, child)
    assert not store.beat(run_id, owner)


def test_cancel_stops_queued_runs_at_once_and_asks_running_ones(store: RunStore, owner: Owner) -> None:
    running, queued, done = (store.create(Experiment()) for _ in range(3))
    claim(store, owner, done)
    store.finish(done, owner, "done")
    claim(store, owner, running)
    assert store.cancel(running, queued, done) == [running, queued]
    assert store.cancel_requested(running)
    assert [store.get(run_id).status for run_id in (running, queued, done)] == ["running", "cancelled", "done"]


def test_resumed_run_is_queued_with_a_clean_slate(store: RunStore, owner: Owner) -> None:
    run_id = store.create(Experiment())
    claim(store, owner)
    store.cancel(run_id)
    store.finish(run_id, owner, "cancelled", error="why")
    done = store.create(Experiment())
    claim(store, owner, done)
    store.finish(done, owner, "done")
    assert store.resume(run_id, done) == [run_id]
    run = claim(store, owner)
    assert (run.attempts, run.error, run.cancel_requested, run.finished) == (2, None, False, None)


def test_run_of_a_dead_process_is_interrupted_at_once_and_of_a_silent_one_later(store: RunStore, owner: Owner) -> None:
    dead = replace(owner, pid=2**22 + 1)  # beyond the kernel's largest
    silent = replace(owner, host="another-machine")
    ids = [store.create(Experiment()) for _ in range(3)]
    for run_id, who in zip(ids, (owner, dead, silent), strict=True):
        claim(store, who, run_id)
    assert store.interrupt_orphans() == [ids[1]]
    run = store.get(ids[1])
    assert run.status == "interrupted"
    assert "resume the run" in str(run.error)

    long_ago = time.time() - SILENCE_SECONDS - 1
    store.database.connection().execute("UPDATE runs SET heartbeat = ? WHERE id != ?", (long_ago, ids[0]))
    assert store.interrupt_orphans() == [ids[2]]
    store.beat(ids[0], owner)
    assert store.interrupt_orphans() == []


def test_process_number_taken_by_another_process_is_not_the_owner(owner: Owner) -> None:
    earlier = replace(owner, process_started=owner.process_started - 1000)
    assert earlier.is_gone(time.time() - 30)
    assert not owner.is_gone(time.time() - 30)
    assert Owner.parse(str(owner)) == owner


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_living_process_is_believed_by_one_whose_clock_is_wrong(
    store: RunStore, owner: Owner, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    run_id = store.create(Experiment())
    claim(store, owner)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600 * hours)
    assert store.interrupt_orphans() == []
    assert store.get(run_id).status == "running"


def test_a_clock_that_was_set_shifts_start_times_too(owner: Owner) -> None:
    before = replace(owner, process_started=owner.process_started - 3600)
    assert not before.is_gone(time.time() - 3600 - 4)  # last heard four seconds before the clock was set
    assert not before.is_gone(time.time() - 4)  # and heard again since


def test_an_owner_stuck_in_a_living_process_is_found_by_its_silence(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, began, heard = Watch(), time.monotonic(), time.time()
    assert not watch.is_gone(owner, heard)
    monkeypatch.setattr(time, "monotonic", lambda: began + SILENCE_SECONDS + 1)
    assert not Watch().is_gone(owner, heard)
    assert not watch.is_gone(owner, heard + 5)
    monkeypatch.setattr(time, "monotonic", lambda: began + 2 * SILENCE_SECONDS + 3)
    assert watch.is_gone(owner, heard + 5)


def test_deleted_runs_come_back_until_they_are_purged(store: RunStore, owner: Owner) -> None:
    gone, kept, running = (store.create(Experiment(name=name)) for name in ("gone", "kept", "running"))
    claim(store, owner, running)
    store.log(gone, "notice", "something")
    assert store.delete(gone, kept, running) == [gone, kept]
    assert list(queries.runs(store)["id"]) == [running]
    assert store.claim(owner, "cpu", requests=REQUESTS) is None
    assert store.restore(kept) == [kept]
    assert store.get(kept).status == "cancelled"
    assert store.purge() == [gone]
    with pytest.raises(RunError, match="There is no run"):
        store.get(gone)
    assert not store.database.read("SELECT * FROM log WHERE run_id = ?", gone)


def test_edit_changes_only_what_is_given(store: RunStore) -> None:
    run_id = store.create(Experiment(name="old", notes="note"), tags=["a"])
    store.edit(run_id, name="new", tags=[])
    run = store.get(run_id)
    assert (run.name, run.notes, run.tags) == ("new", "note", ())
    with pytest.raises(RunError, match="no run 'nope'"):
        store.edit("nope", name="x")


def test_version_grows_with_every_visible_change_and_only_then(store: RunStore, owner: Owner) -> None:
    run_id, other = store.create(Experiment()), store.create(Experiment())
    seen = [store.version()]
    changes = [
        lambda: claim(store, owner, run_id),
        lambda: store.record(run_id, Notice("careful")),
        lambda: store.edit(run_id, notes="n"),
        lambda: store.finish(run_id, owner, "done"),
        lambda: store.delete(run_id),
    ]
    for change in changes:
        before, untouched = store.version(run_id), store.version(other)
        change()
        seen.append(store.version())
        assert store.version(run_id) > before
        assert store.version(other) == untouched
    assert seen == sorted(set(seen))
    store.beat(other, owner)
    assert store.version() == seen[-1]


def test_threads_write_and_read_at_once_without_loss(store: RunStore) -> None:
    writers, epochs = 8, 40
    ids = [store.create(Experiment(seed=seed)) for seed in range(writers)]
    finished = threading.Event()

    def write(run_id: str) -> None:
        for epoch in range(1, epochs + 1):
            store.record(run_id, EpochEvaluated("phase_a", epoch, 0.5, 0.1, {"many": 1.0, "few": None, "all": 2.0}))

    def read(_: int) -> int:
        rounds = 0
        while not finished.is_set():
            counts = queries.epoch_metrics(store, ids).groupby(["run_id", "epoch"]).size()
            assert (counts == 4).all(), "an epoch was seen in part"
            queries.runs(store)
            rounds += 1
        return rounds

    with ThreadPoolExecutor(12) as pool:
        readers = [pool.submit(read, reader) for reader in range(4)]
        for writer in [pool.submit(write, run_id) for run_id in ids]:
            writer.result()
        finished.set()
        assert all(reader.result() > 0 for reader in readers)
    assert len(queries.epoch_metrics(store, ids)) == writers * epochs * 4
