import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ballad.cli import BAD_INPUT, CANCELLED, FAILED, main
from ballad.experiment import Experiment
from ballad.store import queries
from ballad.store.owners import Owner
from ballad.store.run_store import RunStore
from tests.helpers.tiny_experiment import tiny_experiment

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    monkeypatch.setenv("BALLAD_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return RunStore(tmp_path)


def finish(store: RunStore, run_id: str, status: str, error: str | None = None) -> None:
    owner = Owner.new()
    store.claim(owner, "cpu", requests=["auto"], run_id=run_id)
    store.finish(run_id, owner, status, error=error, traceback="Traceback …" if error else None)


def test_sweep_queues_the_grid(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "--queue",
        "--executor",
        "process",
        "--grid",
        "phase_b.residual_factor=0.1,0.2",
        "--grid",
        "seed=0,1,2",
        "--set",
        "phase_a.epochs=3",
    ]
    assert main(["sweep", *words]) == 0
    experiments = [run.experiment for run in store.queued()]
    assert {(e.seed, e.phase_b.residual_factor) for e in experiments} == {(s, r) for s in (0, 1, 2) for r in (0.1, 0.2)}
    assert {e.phase_a.epochs for e in experiments} == {3}
    assert {run.executor for run in store.queued()} == {"process"}
    assert capsys.readouterr().out.count("queued") == 6
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert sorted(run["id"] for run in listed) == sorted(run.id for run in store.queued())
    assert {run["status"] for run in listed} == {"queued"} and {run["all"] for run in listed} == {None}


def test_a_sweep_with_a_run_that_failed_says_so_and_ends_with_1(
    store: RunStore, tiny_images: Path, tiny_backbone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--backbone", str(tiny_backbone), "--set", "schedule=zero_shot"]
    assert main(["sweep", *words, "--grid", f"dataset.source={tiny_images},{tiny_images / 'nowhere'}"]) == FAILED
    printed = capsys.readouterr()
    assert "nowhere" in printed.err and "failed" in printed.out and "done" in printed.out
    assert main(["sweep", *words, "--grid", f"dataset.source={tiny_images / 'nowhere'}", "--json"]) == FAILED
    (failed,) = json.loads(capsys.readouterr().out)
    assert failed["status"] == "failed" and "nowhere" in failed["error"]


def test_a_sweep_that_is_stopped_ends_with_130(
    store: RunStore, tiny_images: Path, tiny_backbone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--dataset", str(tiny_images), "--backbone", str(tiny_backbone), "--set", "phase_a.epochs=500"]

    def press_ctrl_c_in_the_first_run() -> None:
        while not queries.runs(store)["status"].eq("running").any():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    pressing = threading.Thread(target=press_ctrl_c_in_the_first_run, daemon=True)
    pressing.start()
    assert main(["sweep", *words, "--grid", "seed=0,1"]) == CANCELLED
    printed = capsys.readouterr()
    assert "interrupted" in printed.out and "queued" in printed.out
    assert f"cancel --group {queries.groups(store)['id'].iloc[0]}" in printed.err


def test_a_sweep_on_a_device_that_is_not_there_queues_nothing(store: RunStore) -> None:
    assert main(["sweep", "--device", "foo", "--grid", "seed=0,1"]) == BAD_INPUT
    assert queries.runs(store).empty


@pytest.mark.parametrize("words", [["--grid", "seed"], ["--grid", "seeds=1"], ["--grid", "phase_b.residual_factor=2"]])
def test_bad_grid_is_one_sentence(store: RunStore, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(["sweep", "--queue", "--backbone", "RN50", *words]) == BAD_INPUT
    error = capsys.readouterr().err.strip()
    assert error and "\n" not in error
    assert queries.runs(store).empty


def test_list_shows_what_is_asked_for(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    queued, done = store.create(Experiment(name="one")), store.create(Experiment(name="two"), tags=["paper"])
    finish(store, done, "done")
    main(["list"])
    everything = capsys.readouterr().out
    assert everything.index(done) < everything.index(queued)
    main(["list", "--status", "done", "--tag", "paper"])
    assert queued not in capsys.readouterr().out
    main(["list", "--limit", "1"])
    assert "1 older run" in capsys.readouterr().err


def test_show_tells_the_error_and_keeps_tracebacks_for_the_log(
    store: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = store.create(Experiment(name="broken", seed=41))
    finish(store, run_id, "failed", "The image a.png cannot be read.")
    assert main(["show", run_id]) == 0
    shown = capsys.readouterr().out
    assert "The image a.png cannot be read." in shown and "seed: 41" in shown and "Traceback" not in shown
    main(["show", run_id, "--log"])
    assert "Traceback" in capsys.readouterr().out
    assert main(["show", run_id, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["id"], shown["status"], shown["settings"]["seed"]) == (run_id, "failed", 41)
    assert shown["error"] == "The image a.png cannot be read." and shown["results"] == []
    assert shown["log"][-1]["text"] == "Traceback …"


def test_cancel_and_resume_take_runs_or_a_group(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    group_id, ids = store.create_group("g", [Experiment(seed=seed) for seed in range(3)])
    assert main(["cancel", ids[0]]) == 0
    assert main(["cancel", "--group", group_id]) == 0
    assert set(queries.runs(store)["status"]) == {"cancelled"}
    assert main(["cancel", "--group", group_id]) == BAD_INPUT
    assert main(["resume", "--queue", "--group", group_id]) == 0
    assert len(store.queued()) == 3
    assert main(["resume", "--queue", ids[0]]) == BAD_INPUT
    assert main(["resume"]) == BAD_INPUT
    assert "Name at least one run" in capsys.readouterr().err


def test_resume_finishes_the_runs_here_past_one_that_fails(
    store: RunStore, tiny_images: Path, tiny_backbone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = store.create(tiny_experiment(tiny_images / "nowhere", tiny_backbone))
    good = store.create(tiny_experiment(tiny_images, tiny_backbone, schedule="zero_shot"))
    store.cancel(bad, good)
    assert main(["resume", bad, good]) == FAILED
    assert (store.get(bad).status, store.get(good).status) == ("failed", "done")
    assert f"run {bad}: " in capsys.readouterr().err


def test_worker_drains_the_queue(store: RunStore, tiny_images: Path, tiny_backbone: Path) -> None:
    good = store.create(tiny_experiment(tiny_images, tiny_backbone, schedule="zero_shot"))
    bad = store.create(tiny_experiment(tiny_images / "nowhere", tiny_backbone))
    assert main(["worker", "--drain"]) == 0
    assert store.get(good).status == "done"
    assert store.get(bad).status == "failed"
    assert "nowhere" in str(store.get(bad).error)
    assert main(["worker", "--run", good]) == BAD_INPUT


@pytest.mark.parametrize("device", ["foo", "cuda:9", "cpu:1", ""])
@pytest.mark.parametrize("which", [["--drain"], ["--run", "RUN"]])
def test_a_worker_for_a_device_that_is_not_there_takes_no_run(
    store: RunStore, capsys: pytest.CaptureFixture[str], device: str, which: list[str]
) -> None:
    run_id = store.create(Experiment())
    words = [run_id if word == "RUN" else word for word in which]
    assert main(["worker", f"--device={device}", *words]) == BAD_INPUT
    assert f"no device '{device}'; choose one of auto, cpu" in capsys.readouterr().err
    assert store.get(run_id).status == "queued"


def test_worker_that_is_terminated_leaves_its_run_to_resume(
    store: RunStore, tiny_images: Path, tiny_backbone: Path
) -> None:
    run_id = store.create(tiny_experiment(tiny_images, tiny_backbone, phase_a__epochs=500))
    with subprocess.Popen([sys.executable, "-m", "ballad", "worker"], cwd=ROOT, env=dict(os.environ)) as worker:
        while queries.epoch_metrics(store, [run_id]).empty:
            assert worker.poll() is None
            time.sleep(0.1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    run = store.get(run_id)
    assert run.status == "interrupted"
    assert list(store.home.glob("stages/towers/*.partial/checkpoint.safetensors"))
