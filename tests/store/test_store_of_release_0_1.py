"""A home that release 0.1 left: it opens, shows its run, and its stages are found again."""

import zipfile
from pathlib import Path

import pytest

from ballad.events import CancelToken, Event, StageFinished
from ballad.stages.pipeline import run_experiment
from ballad.store import queries
from ballad.store.run_store import RunStore

ZIP = Path(__file__).parent.parent / "fixtures" / "store-0.1.zip"
NAME = "old store"


@pytest.fixture
def old_store(tmp_path: Path) -> RunStore:
    with zipfile.ZipFile(ZIP) as archive:
        archive.extractall(tmp_path)
    return RunStore(tmp_path)


def test_it_shows_its_run(old_store):
    (run,) = queries.runs(old_store).to_dict("records")
    assert (run["name"], run["status"], run["schedule"]) == (NAME, "done", "zero_shot_adapter")
    settings = queries.settings(old_store, [run["id"]]).loc[run["id"]]
    assert (settings["phase_b.method"], settings["phase_b.epochs"]) == ("ballad", 2)
    results = queries.results(old_store, [run["id"]], split="test").set_index("model")["all"]
    assert results["ballad"] == run["all"] and "zero_shot" in results


def test_the_same_experiment_finds_every_stage(old_store):
    (run_id,) = queries.runs(old_store)["id"]
    run = old_store.get(run_id)
    events: list[Event] = []
    result = run_experiment(
        run.experiment,
        home=old_store.home,
        run_dir=old_store.home / "again",
        device="cpu",
        on_event=events.append,
        cancel=CancelToken(),
    )
    finished = [event for event in events if isinstance(event, StageFinished)]
    assert [event.stage for event in finished if not event.reused] == []
    assert {event.stage for event in finished} == {"adapter", "evaluation"}
    assert result["key"] == run.key
    assert result["accuracies"]["ballad"]["test"]["all"] == queries.runs(old_store)["all"].item()
