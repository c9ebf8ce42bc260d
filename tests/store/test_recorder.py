import math
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ballad.events import EpochEvaluated, Evaluated, Notice, Progress, StageFinished, StageStarted
from ballad.experiment import Experiment
from ballad.home import store_path
from ballad.store import queries, recorder
from ballad.store.owners import Owner
from ballad.store.run_store import RunStore
from ballad.store.schema import EXACT_PHASE_B, MIGRATIONS, migrate
from tests.helpers.claiming import claim


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 4e9 + self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(recorder, "time", clock)
    return clock


@pytest.fixture
def run_id(store: RunStore, owner: Owner) -> str:
    run_id = store.create(Experiment())
    claim(store, owner)
    return run_id


def step(number: int, *, epoch: int = 1, steps: int = 100) -> Progress:
    return Progress("phase_a", epoch, 2, number, steps, 1.0 / number, 0.1, 50.0 + number)


def test_steps_are_thinned_and_the_newest_is_never_lost(store: RunStore, run_id: str, owner: Owner, clock: Clock):
    for number in range(1, 101):
        store.record(run_id, step(number))
        clock.now += 0.1
    curve = queries.step_metrics(store, [run_id], ["loss"])
    assert 15 <= len(curve) <= 25
    assert curve["step"].iloc[0] == 1
    assert curve["epochs_done"].iloc[0] == pytest.approx(0.01)
    store.record(run_id, Notice("the phase is over"))
    assert queries.progress(store)["step"].tolist() == [100]
    store.record(run_id, step(1, epoch=2))
    store.finish(run_id, owner, "done")
    assert queries.runs(store)[["epoch", "step"]].iloc[0].tolist() == [2, 1]


def test_curve_of_a_long_phase_gets_sparser(
    store: RunStore, run_id: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(recorder, "POINTS_OF_A_CURVE", 50)
    for number in range(1, 1001):
        store.record(run_id, step(number, steps=1000))
        clock.now += 2.0
    # Every step for 50 · 2 s, then 50 for each e-fold of the time: 50 + 50 · ln(2000 / 100).
    count = store.database.read("SELECT count(*) FROM metrics WHERE name = 'loss'")[0][0]
    assert count == pytest.approx(50 + 50 * math.log(20), rel=0.2)


def test_every_epoch_is_kept_with_its_groups(store: RunStore, run_id: str, clock: Clock):
    for epoch in (1, 2, 3):
        store.record(
            run_id, EpochEvaluated("phase_b", epoch, 0.5, 0.2, {"many": 60.0, "few": None, "all": 40.0 + epoch})
        )
    table = queries.epoch_metrics(store, [run_id])
    assert table[table["name"] == "all"]["value"].tolist() == [41.0, 42.0, 43.0]
    assert "few" not in set(table["name"])
    assert set(table["name"]) == {"many", "all", "loss", "learning_rate"}


def test_repeated_epoch_of_a_resumed_run_replaces_the_first(store: RunStore, run_id: str):
    for accuracy in (10.0, 20.0):
        store.record(run_id, EpochEvaluated("phase_a", 1, None, None, {"all": accuracy}))
    assert queries.epoch_metrics(store, [run_id])["value"].tolist() == [20.0]


def test_final_test_accuracy_appears_with_the_run(store: RunStore, run_id: str):
    store.record(run_id, Evaluated("zero_shot", "test", {"many": 1.0, "medium": 1.0, "few": 1.0, "all": 1.0}))
    store.record(run_id, Evaluated("ballad", "val", {"many": 2.0, "medium": 2.0, "few": 2.0, "all": 2.0}))
    assert queries.runs(store)["all"].isna().all()
    store.record(run_id, Evaluated("ballad", "test", {"many": 70.5, "medium": 60.0, "few": None, "all": 65.0}))
    row = queries.runs(store).iloc[0]
    assert (row["many"], row["medium"], row["all"]) == (70.5, 60.0, 65.0)
    assert row[["few"]].isna().all()
    assert len(queries.results(store, [run_id])) == 3
    assert queries.results(store, [run_id], split="val")["model"].tolist() == ["ballad"]


def test_stages_say_what_was_computed_and_what_was_there(store: RunStore, run_id: str):
    store.record(run_id, StageStarted("towers", "k1"))
    assert queries.run_stages(store, run_id)["reused"].isna().all()
    store.record(run_id, StageFinished("towers", "k1", 12.0, reused=False))
    store.record(run_id, StageFinished("features", "k2", 0.0, reused=True))
    store.record(run_id, StageFinished("towers", "k1", 0.0, reused=True))
    table = queries.run_stages(store, run_id).set_index("stage")
    assert table.loc["towers", ["seconds", "reused"]].tolist() == [12.0, False]
    assert table.loc["features", "reused"]
    texts = queries.log(store, run_id)["text"].tolist()
    assert texts[:2] == ["Stage towers (k1) begins.", "Stage towers (k1) is complete after 12.0 s."]


def test_speed_of_fresh_features_is_not_taken_for_that_of_stored_ones(store: RunStore, owner: Owner):
    for features, speed in (("cached", 90_000.0), ("exact", 300.0)):
        run_id = store.create(Experiment().with_values({"phase_b.features": features}))
        claim(store, owner, run_id)
        store.record(run_id, Progress("phase_b", 1, 1, 1, 1, images_per_second=speed))
    measured = queries.throughput(store).set_index("phase")["images_per_second"].to_dict()
    assert measured == {"phase_b": 90_000.0, "fresh features": 300.0}


def test_speeds_of_fresh_features_in_an_older_store_are_told_apart(tmp_path: Path):
    path = store_path(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        migrate(db, path, MIGRATIONS[: MIGRATIONS.index(EXACT_PHASE_B)])
        settings = Experiment().with_values({"phase_b.features": "exact"}).model_dump_json()
        columns = [row[1] for row in db.execute("PRAGMA table_info(runs)") if row[3] and row[4] is None]
        values = dict.fromkeys(columns, "") | {"id": "old", "settings": settings, "priority": 0, "created": 0}
        marks = ", ".join("?" for _ in values)
        db.execute(f"INSERT INTO runs ({', '.join(values)}) VALUES ({marks})", list(values.values()))
        db.execute("INSERT INTO throughput VALUES ('old', 'phase_b', 'demo', 'cpu', 300.0, 0)")
    assert queries.throughput(RunStore(tmp_path))["phase"].tolist() == ["fresh features"]


def test_throughput_outlives_its_run(store: RunStore, run_id: str, owner: Owner, clock: Clock):
    store.record(run_id, step(1))
    clock.now += 1
    store.record(run_id, step(2))
    store.finish(run_id, owner, "done")
    store.delete(run_id)
    store.purge()
    assert queries.throughput(store).to_dict("records") == [
        {"phase": "phase_a", "backbone": "demo", "device": "cpu", "images_per_second": 52.0, "runs": 1}
    ]
