import pandas as pd
import pytest

from ballad.events import EpochEvaluated, Evaluated, Progress
from ballad.experiment import Experiment
from ballad.store import queries
from ballad.store.owners import Owner
from ballad.store.run_store import RunStore
from tests.helpers.claiming import claim


def test_empty_store_gives_empty_tables_with_their_columns(store: RunStore) -> None:
    tables = [
        queries.runs(store),
        queries.groups(store),
        queries.progress(store),
        queries.throughput(store),
        queries.run_stages(store),
        queries.epoch_metrics(store, []),
        queries.step_metrics(store, []),
        queries.results(store, []),
        queries.log(store, "nope"),
    ]
    assert all(table.empty and len(table.columns) for table in tables)
    assert queries.sparklines(store, []).empty
    assert queries.tags(store) == []


def test_runs_are_chosen_by_status_group_and_tag(store: RunStore, owner: Owner) -> None:
    plain = store.create(Experiment(), tags=["paper", "λ"])
    group, members = store.create_group("g", [Experiment(), Experiment()], tags=["paper"])
    claim(store, owner, plain)

    def ids(**chosen) -> list[str]:
        return queries.runs(store, **chosen)["id"].tolist()

    assert ids() == [*reversed(members), plain]
    assert ids(statuses=["running"]) == [plain]
    assert ids(statuses=[]) == []
    assert ids(group_id=group) == [*reversed(members)]
    assert ids(tag="λ") == [plain]
    assert ids(tag="pap") == []
    assert ids(run_ids=[members[0]], tag="paper") == [members[0]]
    store.delete(members[0])
    assert ids(deleted=True) == [members[0]]


def test_columns_keep_their_types_when_they_are_empty(store: RunStore, owner: Owner) -> None:
    store.create(Experiment())
    waiting = queries.runs(store).dtypes
    claim(store, owner)
    assert waiting.equals(queries.runs(store).dtypes)
    assert waiting["started"] == "datetime64[ns, UTC]"
    assert waiting["all"] == "float64"


def test_a_resumed_run_does_not_show_where_its_last_attempt_stood(store: RunStore, owner: Owner) -> None:
    run_id = store.create(Experiment())

    def epoch() -> int | None:
        shown = queries.runs(store)["epoch"].iloc[0]
        return None if pd.isna(shown) else int(shown)

    claim(store, owner)
    store.record(run_id, Progress("phase_a", 7, 9, 1, 1, eta_seconds=60.0))
    store.finish(run_id, owner, "interrupted")
    assert epoch() == 7
    store.resume(run_id)
    assert epoch() is None
    claim(store, owner)
    assert epoch() is None
    store.record(run_id, Progress("phase_b", 1, 9, 1, 1))
    assert epoch() == 1


def test_running_time_counts_from_the_start(store: RunStore, owner: Owner) -> None:
    run_id = store.create(Experiment())
    claim(store, owner)
    store.database.connection().execute("UPDATE runs SET started = started - 100, seconds = 50 WHERE id = ?", (run_id,))
    assert queries.runs(store)["seconds"].iloc[0] == pytest.approx(150, abs=20)
    store.finish(run_id, owner, "done")
    assert queries.runs(store)["seconds"].iloc[0] == pytest.approx(150, abs=20)


def test_settings_are_flat_and_comparison_keeps_the_differences(store: RunStore) -> None:
    ids = [
        store.create(Experiment(name="a").with_values({"phase_b.residual_factor": 0.1})),
        store.create(Experiment(name="b").with_values({"prompts.kind": "ensemble"})),
    ]
    table = queries.settings(store, [ids[1], "gone", ids[0]])
    assert table.index.tolist() == [ids[1], ids[0]]
    assert table.loc[ids[0], "phase_b.residual_factor"] == 0.1
    different = queries.different_settings(store, ids)
    assert sorted(different.columns) == ["name", "phase_b.residual_factor", "prompts.kind"]


def test_sparkline_is_thinned_over_both_phases_and_keeps_its_end(store: RunStore) -> None:
    long, short, silent = (store.create(Experiment(seed=seed)) for seed in range(3))
    for epoch in range(1, 51):
        store.record(long, EpochEvaluated("phase_a", epoch, None, None, {"all": float(epoch)}))
    store.record(long, EpochEvaluated("phase_b", 1, None, None, {"all": 99.0}))
    store.record(short, EpochEvaluated("phase_b", 1, None, None, {"all": 5.0}))
    curves = queries.sparklines(store, [long, short, silent], points=10)
    assert curves[long] == [3.0, 9.0, 15.0, 21.0, 27.0, 33.0, 39.0, 45.0, 99.0]
    assert curves[short] == [5.0]
    assert silent not in curves


def test_step_curves_are_thinned_each_by_itself(store: RunStore) -> None:
    ids = [store.create(Experiment(seed=seed)) for seed in range(2)]
    rows = [
        (run_id, name, "phase_a", 1, step, step / 100, float(step), 0.0)
        for run_id, steps in zip(ids, (100, 5), strict=True)
        for name in ("loss", "learning_rate")
        for step in range(1, steps + 1)
    ]
    with store.database.write() as db:
        db.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    table = queries.step_metrics(store, ids, points=10)
    assert table.groupby(["run_id", "name"]).size().tolist() == [10, 10, 5, 5]
    assert table.groupby(["run_id", "name"])["step"].max().tolist() == [100, 100, 5, 5]
    assert set(queries.step_metrics(store, ids, ["loss"])["name"]) == {"loss"}


def test_progress_of_an_earlier_attempt_is_not_shown_as_the_present(store: RunStore, owner: Owner) -> None:
    run_id = store.create(Experiment())
    claim(store, owner)
    store.record(run_id, Progress("phase_a", 1, 2, 3, 4))
    assert queries.progress(store)["step"].tolist() == [3]
    store.finish(run_id, owner, "interrupted")
    store.resume(run_id)
    claim(store, owner)
    row = queries.progress(store).iloc[0]
    assert row["run_id"] == run_id and pd.isna(row["step"]) and pd.isna(row["phase"])


def test_log_comes_in_order_and_from_where_the_reader_stopped(store: RunStore) -> None:
    run_id = store.create(Experiment())
    for number in range(5):
        store.log(run_id, "info", f"line {number}")
    everything = queries.log(store, run_id)
    assert everything["text"].tolist() == [f"line {number}" for number in range(5)]
    assert queries.log(store, run_id, limit=2)["text"].tolist() == ["line 3", "line 4"]
    assert queries.log(store, run_id, after=int(everything["id"].iloc[2]))["text"].tolist() == ["line 3", "line 4"]


def test_a_run_is_marked_where_its_final_model_diverged(store: RunStore) -> None:
    ids = [store.create(Experiment(seed=seed)) for seed in range(3)]
    accuracy = {"many": 1.0, "medium": None, "few": 1.0, "all": 1.0}
    store.record(ids[0], Evaluated("ballad", "test", accuracy, diverged=True))
    store.record(ids[1], Evaluated("phase_a", "test", accuracy, diverged=True))
    store.record(ids[1], Evaluated("ballad", "test", accuracy))
    marked = queries.runs(store).set_index("id")["diverged"]
    assert [bool(marked[run_id]) for run_id in ids] == [True, False, False]
