import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import ballad
from ballad import api
from ballad.errors import Cancelled, DataError, RunError, SettingsError
from ballad.events import EpochEvaluated
from ballad.experiment import Experiment
from ballad.store import queries
from ballad.store.owners import Owner
from ballad.store.run import STATUSES, Status
from ballad.store.run_store import RunStore
from ballad.sweeps import GroupStatus, group_status, queue_sweep
from ballad.work.jobs import JobManager
from tests.helpers.claiming import claim
from tests.helpers.tiny_experiment import tiny_experiment
from tests.helpers.tiny_work import tiny_work

ROOT = Path(__file__).parents[1]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BALLAD_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_run_returns_what_the_store_keeps(home: Path, tiny_images: Path, tiny_backbone: Path) -> None:
    events: list[object] = []
    finished = ballad.run(tiny_experiment(tiny_images, tiny_backbone), tags=["first"], on_event=events.append)
    store = RunStore(home)
    run = store.get(finished.id)
    assert (run.status, run.tags, run.device) == ("done", ("first",), "cpu")
    by_model = finished.accuracies.set_index(["model", "split"])["all"]
    result = finished.result()["accuracies"]
    assert by_model["ballad", "test"] == pytest.approx(result["ballad"]["test"]["all"])
    assert len(by_model) == 6
    table = ballad.runs()
    assert table["all"].tolist() == [by_model["ballad", "test"]]
    epochs = [event for event in events if isinstance(event, EpochEvaluated)]
    assert len(queries.epoch_metrics(store, [run.id], ["all"])) == len(epochs) == 4


def test_failing_run_raises_its_own_error_and_is_recorded(home: Path) -> None:
    with pytest.raises(DataError, match=r"a\.png"):
        api.run(Experiment(notes="bad data"), execute=tiny_work)
    assert ballad.runs()["status"].tolist() == ["failed"]


def test_stopped_run_is_interrupted_and_finished_later(home: Path) -> None:
    stop = threading.Event()
    with pytest.raises(Cancelled):
        api.run(Experiment(notes="long"), on_event=lambda event: stop.set(), stop=stop, execute=tiny_work)
    store = RunStore(home)
    run_id = ballad.runs()["id"].iloc[0]
    assert store.get(run_id).status == "interrupted"
    with pytest.raises(RunError, match="it is interrupted"):
        api.finish_here(store, run_id, execute=tiny_work)
    store.resume(run_id)
    store.edit(run_id, notes="")
    stop.clear()
    with pytest.raises(Cancelled):
        api.finish_here(store, run_id, on_event=lambda event: stop.set(), stop=stop, execute=tiny_work)
    assert store.get(run_id).attempts == 2


def test_device_that_is_not_here_is_refused_before_anything_is_queued(home: Path) -> None:
    experiment = Experiment.parse({"runtime": {"device": "cuda:99"}})
    with pytest.raises(RunError, match="no device 'cuda:99'"):
        ballad.run(experiment)
    with pytest.raises(RunError, match="no device 'cuda:99'"):
        ballad.sweep(experiment, {"seed": [0]})
    with pytest.raises(SettingsError, match="seeds"):
        ballad.sweep(Experiment(), {"seeds": [0]})
    assert not home.exists() or ballad.runs().empty


def test_sweep_trains_its_towers_once_and_goes_on_past_failures(
    home: Path, tiny_images: Path, tiny_backbone: Path
) -> None:
    grid = {"phase_b.residual_factor": [0.0, 0.5, 1.0]}
    table = ballad.sweep(tiny_experiment(tiny_images, tiny_backbone), grid)
    assert table["status"].tolist() == ["done"] * 3
    assert table["all"].notna().all()
    stages = queries.run_stages(RunStore(home))
    towers = stages[stages["stage"] == "towers"]
    assert len(towers) == 3
    assert (~towers["reused"]).sum() == 1


def test_sweep_leaves_other_runs_in_the_queue(home: Path) -> None:
    store = RunStore(home)
    waiting = store.create(Experiment())
    table = api.sweep(Experiment(), {"notes": ["bad data", ""]}, execute=tiny_work)
    assert sorted(table["status"]) == ["done", "failed"]
    assert store.get(waiting).status == "queued"
    assert ballad.sweep(Experiment(), {"seed": [0, 1]}, queue_only=True)["status"].tolist() == ["queued"] * 2


def test_a_sweep_ends_when_the_runs_that_others_took_have_ended(home: Path) -> None:
    store, another = RunStore(home), Owner.new()
    group_id = queue_sweep(store, Experiment(), {"seed": [0, 1]})
    taken = claim(store, another, store.group_ids(group_id)[0]).id
    shown = []

    def show(status: GroupStatus) -> None:
        shown.append((status.counts["running"], status.counts["done"]))
        if status.counts["done"] == 1 and status.counts["queued"] == 0:
            store.finish(taken, another, "failed", error="The other process ran out of memory.")

    api.finish_group_here(store, group_id, on_status=show, execute=tiny_work)
    assert (1, 1) in shown
    assert group_status(store, group_id).counts == {**dict.fromkeys(STATUSES, 0), "done": 1, "failed": 1}


@pytest.mark.parametrize("status", ["done", "failed"])
def test_a_run_that_another_process_took_first_is_waited_for(home: Path, status: Status) -> None:
    store, another = RunStore(home), Owner.new()
    run_id = claim(store, another, store.create(Experiment())).id
    end = threading.Timer(
        0.1, lambda: store.finish(run_id, another, status, error=None if status == "done" else "No memory.")
    )
    end.start()
    if status == "done":
        assert api.finish_here(store, run_id, execute=tiny_work).id == run_id
    else:
        with pytest.raises(RunError, match="No memory"):
            api.finish_here(store, run_id, execute=tiny_work)
    assert store.get(run_id).attempts == 1


@pytest.mark.parametrize("executor", ["thread", "process"])
def test_job_runs_the_pipeline(store: RunStore, tiny_images: Path, tiny_backbone: Path, executor: str) -> None:
    run_id = store.create(tiny_experiment(tiny_images, tiny_backbone), executor=executor)
    with JobManager(store, devices=["cpu"], drain=True) as manager:
        assert manager.wait(200)
    run = store.get(run_id)
    assert (run.status, run.error) == ("done", None)
    assert len(queries.results(store, [run_id])) == 6


def test_store_and_its_readers_do_not_load_torch() -> None:
    code = (
        "import sys, ballad, ballad.api, ballad.work.jobs, ballad.store.queries, ballad.cli.jobs;"
        "from ballad.work.devices import list_devices; list_devices();"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=dict(os.environ)).returncode == 0
