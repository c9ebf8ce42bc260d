import pytest

from ballad.errors import RunError, SettingsError
from ballad.experiment import Experiment
from ballad.store import queries
from ballad.store.owners import Owner
from ballad.store.run_store import RunStore
from ballad.sweeps import expand, group_status, in_working_order, queue_run, queue_sweep
from tests.helpers.claiming import claim
from tests.helpers.outdated import outdate


def test_grid_becomes_every_combination_named_by_its_values() -> None:
    experiments = expand(Experiment(name="base"), {"seed": [0, 1], "phase_b.residual_factor": [0.1, 0.2, 0.3]})
    assert [(e.seed, e.phase_b.residual_factor) for e in experiments] == [
        (0, 0.1),
        (0, 0.2),
        (0, 0.3),
        (1, 0.1),
        (1, 0.2),
        (1, 0.3),
    ]
    assert experiments[4].name == "base seed=1 residual_factor=0.2"
    one_seed = expand(Experiment(name="base"), {"seed": [3], "phase_b.residual_factor": [0.1, 0.2]})
    assert [each.name for each in one_seed] == ["base residual_factor=0.1", "base residual_factor=0.2"]


def test_settings_of_one_name_are_told_apart_by_their_phase() -> None:
    grid = {"phase_a.sampler": ["instance", "square_root"], "phase_b.sampler": ["instance", "square_root"], "seed": [3]}
    assert [experiment.name for experiment in expand(Experiment(), grid)] == [
        "phase_a.sampler=instance phase_b.sampler=instance",
        "phase_a.sampler=instance phase_b.sampler=square_root",
        "phase_a.sampler=square_root phase_b.sampler=instance",
        "phase_a.sampler=square_root phase_b.sampler=square_root",
    ]


def test_a_value_that_is_named_twice_is_run_once(store: RunStore) -> None:
    group_id = queue_sweep(store, Experiment(), {"phase_b.residual_factor": [0, 0.5, 0.0, 0.5], "seed": [2, 1, 2]})
    runs = [store.get(run_id).experiment for run_id in store.group_ids(group_id)]
    assert sorted((run.phase_b.residual_factor, run.seed) for run in runs) == [(0, 1), (0, 2), (0.5, 1), (0.5, 2)]
    assert queries.groups(store).iloc[0]["definition"]["grid"]["seed"] == [2, 1]


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({}, "at least one setting"),
        ({"seed": []}, "list of values for 'seed'"),
        ({"schedule": "joint"}, "list of values for 'schedule', not 'joint'"),
        ({"phase_b.residual": [0.1]}, "no setting 'phase_b.residual'.*phase_b.residual_factor"),
        ({"phase_b.residual_factor": [0.1, 2]}, "phase_b.residual_factor = 2"),
        ({"phase_a.learning_rate": [1e-5, float("inf")]}, "phase_a.learning_rate = inf: should be a finite number"),
    ],
)
def test_bad_grid_is_refused_before_anything_is_queued(store: RunStore, grid: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        queue_sweep(store, Experiment(), grid)
    assert queries.runs(store).empty


def test_unknown_executor_is_refused_before_anything_is_queued(store: RunStore) -> None:
    with pytest.raises(RunError, match="no executor 'slurm'; the executors are process and thread"):
        queue_sweep(store, Experiment(), {"seed": [0, 1]}, executor="slurm")
    with pytest.raises(RunError, match="no executor 'slurm'"):
        queue_run(store, Experiment(), executor="slurm")
    assert queries.runs(store).empty


def test_towers_are_shared_by_all_that_only_differ_after_them() -> None:
    key = Experiment().towers_key
    same = [{"phase_b.residual_factor": 0.5}, {"phase_b.sampler": "instance"}, {"schedule": "finetune"}, {"name": "x"}]
    other = [{"seed": 1}, {"phase_a.epochs": 3}, {"schedule": "joint"}, {"schedule": "zero_shot"}]
    assert {Experiment().with_values(values).towers_key for values in same} == {key}
    keys = {Experiment().with_values(values).towers_key for values in other}
    assert len(keys) == len(other) and key not in keys


def test_runs_that_train_towers_come_first_the_others_in_the_grids_order() -> None:
    grid = {"seed": [0, 1], "phase_b.residual_factor": [0.1, 0.2, 0.3]}
    ordered = in_working_order(expand(Experiment(), grid))
    assert [(e.seed, e.phase_b.residual_factor) for e in ordered] == [
        (0, 0.1),
        (1, 0.1),
        (0, 0.2),
        (0, 0.3),
        (1, 0.2),
        (1, 0.3),
    ]


def test_group_remembers_what_it_was_made_from(store: RunStore) -> None:
    base = Experiment(name="base", seed=3)
    queue_sweep(store, base, {"phase_b.residual_factor": (0.1, 0.2)}, tags=["λ"])
    group = queries.groups(store).iloc[0]
    assert (group["name"], group["runs"], group["queued"]) == ("base", 2, 2)
    assert group["definition"]["grid"] == {"phase_b.residual_factor": [0.1, 0.2]}
    assert Experiment.parse(group["definition"]["base"]) == base
    assert queries.tags(store) == ["λ"]


def test_eta_tells_runs_that_train_towers_from_those_that_find_them(store: RunStore, owner: Owner) -> None:
    group_id = queue_sweep(store, Experiment(), {"seed": [0, 1], "phase_b.residual_factor": [0.1, 0.2, 0.3]})
    first, _, follower = store.group_ids(group_id)[:3]
    assert group_status(store, group_id).eta_seconds is None

    def finish(run_id: str, seconds: float) -> None:
        claim(store, owner, run_id)
        store.finish(run_id, owner, "done")
        store.database.connection().execute("UPDATE runs SET seconds = ? WHERE id = ?", (seconds, run_id))

    finish(first, 100.0)
    finish(follower, 7.0)
    status = group_status(store, group_id)
    assert (status.runs, status.ended, status.counts["queued"]) == (6, 2, 4)
    assert status.eta_seconds == 100.0 + 3 * 7.0


def test_group_is_cancelled_and_what_failed_of_it_resumed(store: RunStore, owner: Owner) -> None:
    group_id = queue_sweep(store, Experiment(), {"seed": [0, 1, 2]})
    ids = store.group_ids(group_id)
    claim(store, owner, ids[0])
    store.finish(ids[0], owner, "done")
    assert store.cancel(*store.group_ids(group_id)) == ids[1:]
    assert group_status(store, group_id).eta_seconds is None
    assert store.resume(*store.group_ids(group_id)) == ids[1:]
    with pytest.raises(RunError, match="no group 'nope'"):
        store.group_ids("nope")


def test_a_run_of_another_release_does_not_block_its_group(store: RunStore, owner: Owner) -> None:
    group_id = queue_sweep(store, Experiment(), {"seed": [0, 1]})
    outdate(store, store.group_ids(group_id)[0])
    assert group_status(store, group_id).counts["queued"] == 2
