"""Runs as a worker would have left them in the store."""

from ballad.events import EpochEvaluated, Evaluated, Notice
from ballad.experiment import Experiment
from ballad.store.owners import Owner
from ballad.store.run_store import RunStore

ACCURACY = {"many": 80.0, "medium": 60.0, "few": 40.0, "all": 62.5}


def running(store: RunStore, **settings) -> tuple[str, Owner]:
    """A run that this test works on: it has finished an epoch of each phase."""
    run_id, owner = store.create(Experiment.parse(settings)), Owner.new()
    assert store.claim(owner, "cpu", requests=["auto"], run_id=run_id)
    for phase, change in (("phase_a", 0.0), ("phase_b", 5.0)):
        accuracy = {group: value + change for group, value in ACCURACY.items()}
        store.record(run_id, EpochEvaluated(phase, 1, 1.5, 0.1, accuracy))
    store.record(run_id, Notice("The micro-batch was halved."))
    return run_id, owner


def done(store: RunStore, **settings) -> str:
    """A finished run."""
    run_id, owner = running(store, **settings)
    store.record(run_id, Evaluated("ballad", "test", ACCURACY))
    store.finish(run_id, owner, "done")
    return run_id


def failed(store: RunStore, error: str, **settings) -> str:
    """A run that failed with this sentence."""
    run_id, owner = running(store, **settings)
    store.finish(run_id, owner, "failed", error=error)
    return run_id
