from pathlib import Path

from ballad.store import queries
from ballad.store.run_store import RunStore
from tests.helpers.tiny_experiment import tiny_experiment
from tests.helpers.worker_processes import start


def test_processes_that_need_the_same_towers_at_once_train_them_once(
    store: RunStore, tiny_images: Path, tiny_backbone: Path
) -> None:
    experiments = [
        tiny_experiment(tiny_images, tiny_backbone, phase_b__residual_factor=factor) for factor in (0.2, 0.5, 0.8)
    ]
    _, ids = store.create_group("shared towers", experiments)
    workers = [start(store, run_id) for run_id in ids]
    for worker in workers:
        worker.join(250)
    assert [store.get(run_id).status for run_id in ids] == ["done"] * 3
    stages = queries.run_stages(store)
    for kind in ("towers", "features", "class_text"):
        made = stages[(stages["stage"] == kind) & ~stages["reused"]]
        assert made["key"].is_unique and len(made)
    # All runs saw the same Phase A.
    curves = queries.epoch_metrics(store, ids)
    phase_a = curves[curves["phase"] == "phase_a"]
    assert (phase_a.groupby(["epoch", "name"])["value"].nunique() == 1).all()
    assert (phase_a.groupby(["epoch", "name"])["run_id"].nunique() == 3).all()
