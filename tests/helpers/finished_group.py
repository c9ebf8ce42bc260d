"""A group of runs, finished as the pipeline would have left it, with as many wrong answers as the test says."""

from collections.abc import Callable

from ballad.analysis.evaluation import evaluate
from ballad.data.catalog import load_dataset
from ballad.events import Evaluated
from ballad.experiment import Experiment
from ballad.home import run_dir
from ballad.stages.plan import Plan
from ballad.stages.run_folder import RunFolder
from ballad.store.owners import Owner
from ballad.store.run_store import RunStore
from tests.helpers.run_folders import RED, answers


def finish_run(store: RunStore, run_id: str, wrong: int) -> None:
    """``wrong`` is how many images of each split every model of the run takes for the last class."""
    experiment, owner = store.get(run_id).experiment, Owner.new()
    assert store.claim(owner, "cpu", requests=["auto"], run_id=run_id)
    dataset = load_dataset(experiment.dataset)
    plan = Plan(experiment, dataset.fingerprint, "backbone", has_validation=dataset.val is not None)
    folder = RunFolder(run_dir(store.home, run_id))
    folder.write_plan(plan)
    for model in plan.models:
        for name in plan.evaluated_splits:
            split = getattr(dataset, name)
            predictions = answers(split.labels, dict.fromkeys(range(wrong), RED), dataset.num_classes)
            report = evaluate(predictions, dataset.class_table())
            folder.write_report(model, name, predictions, report)
            store.record(run_id, Evaluated(model, name, report.accuracy()))
    folder.write_result({"key": experiment.key, "dataset": dataset.title, "synthetic": False, "accuracies": {}})
    store.finish(run_id, owner, "done")


def finish_group(store: RunStore, group_id: str, wrong_of: Callable[[Experiment], int]) -> None:
    """:func:`finish_run` for every run of the group, with ``wrong_of(experiment)`` wrong answers."""
    for run_id in store.group_ids(group_id):
        finish_run(store, run_id, wrong_of(store.get(run_id).experiment))
