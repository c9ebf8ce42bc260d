from ballad.events import Evaluated
from ballad.experiment import Experiment
from ballad.store import queries
from ballad.store.run_store import RunStore
from dashboard.views.runs.run_table import table_of


def test_a_run_whose_final_model_diverged_says_so_in_its_row(store: RunStore):
    ids = [store.create(Experiment(seed=seed)) for seed in range(2)]
    accuracy = {"many": 1.0, "medium": 1.0, "few": 1.0, "all": 1.0}
    store.record(ids[0], Evaluated("ballad", "test", accuracy, diverged=True))
    store.record(ids[1], Evaluated("ballad", "test", accuracy))
    runs = queries.runs(store)
    shown = table_of(runs.assign(sparkline=[[]] * len(runs))).set_index("id")
    assert shown["status"].to_dict() == {ids[0]: ["diverged"], ids[1]: ["queued"]}
