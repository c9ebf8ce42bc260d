"""How long the pages' queries take in a store of 1,000 runs and 1,000,000 metric rows.

    python benchmarks/store_queries.py [--quick] [--json]

Writes the store to a temporary folder (about 150 MB; --quick: 200 runs, 30 MB), then calls each query 20 times.
A figure is the fastest call in milliseconds. The target is below 50 ms each.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from ballad.experiment import Experiment
from ballad.store import queries
from ballad.store.owners import Owner
from ballad.store.run_store import RunStore
from benchmarks.timing import argument_parser, report, seconds_of

RUNS, QUICK_RUNS = 1000, 200
CALLS = 20
EPOCHS = 60
STEP_ROWS = 640
FACTORS = [step / 10 for step in range(1, 11)]
EPOCH_NAMES = ("many", "medium", "few", "all", "loss", "learning_rate")


def main() -> None:
    arguments = argument_parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store, run_ids = fill(Path(folder), runs=QUICK_RUNS if arguments.quick else RUNS)
        fastest = {name: fastest_milliseconds(query) for name, query in cases(store, run_ids).items()}
        report({**fastest, "runs_in_store": len(run_ids)}, as_json=arguments.json)


def fill(home: Path, runs: int = RUNS) -> tuple[RunStore, list[str]]:
    """A store of finished runs in groups of 50 (10 λ, 5 seeds), with metrics written directly for speed."""
    store = RunStore(home)
    run_ids: list[str] = []
    for group in range(runs // 50):
        experiments = [
            Experiment(seed=seed).with_values(
                {
                    "name": f"λ = {factor}, rate {group}",
                    "phase_a.learning_rate": 1e-5 * (group + 1),
                    "phase_b.residual_factor": factor,
                }
            )
            for factor in FACTORS
            for seed in range(5)
        ]
        run_ids += store.create_group(f"group {group}", experiments, tags=["benchmark"])[1]
    owner, now = Owner.new(), time.time()
    for run_id in run_ids:
        store.claim(owner, "cpu", requests=["auto"], run_id=run_id)
        rows = [
            (run_id, name, "phase_a", epoch, 0, float(epoch), 50.0 + epoch / 7, now)
            for epoch in range(1, EPOCHS + 1)
            for name in EPOCH_NAMES
        ]
        rows += [
            (run_id, name, "phase_a", 1 + step // 10, 1 + step % 10, step / 10, 1 / (step + 1), now)
            for step in range(STEP_ROWS // 2)
            for name in ("loss", "images_per_second")
        ]
        with store.database.write() as db:
            db.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            db.execute("INSERT INTO results VALUES (?, 'ballad', 'test', 70, 60, 50, 62, 0)", (run_id,))
            db.execute(
                "INSERT INTO progress VALUES (?, 'phase_b', 10, 10, 5, 5, 0.1, 0.2, 900, 0, NULL, ?)", (run_id, now)
            )
        store.finish(run_id, owner, "done")
    return store, run_ids


def cases(store: RunStore, run_ids: list[str]) -> dict[str, Callable[[], object]]:
    few = run_ids[100:110]
    return {
        "version": store.version,
        "all_runs": lambda: queries.runs(store),
        "runs_of_a_group": lambda: queries.runs(store, group_id=store.get(run_ids[0]).group_id),
        "sparklines": lambda: queries.sparklines(store, run_ids),
        "epoch_metrics_of_a_run": lambda: queries.epoch_metrics(store, run_ids[:1]),
        "epoch_metric_of_50_runs": lambda: queries.epoch_metrics(store, run_ids[:50], ["all"]),
        "step_metrics_of_a_run": lambda: queries.step_metrics(store, run_ids[:1]),
        "step_losses_of_10_runs": lambda: queries.step_metrics(store, few, ["loss"]),
        "results": lambda: queries.results(store, run_ids),
        "settings_of_10_runs": lambda: queries.different_settings(store, few),
        "progress": lambda: queries.progress(store),
        "groups": lambda: queries.groups(store),
        "log_of_a_run": lambda: queries.log(store, run_ids[0]),
        "throughput": lambda: queries.throughput(store),
    }


def fastest_milliseconds(query: Callable[[], object]) -> float:
    return 1000 * min(seconds_of(query) for _ in range(CALLS))


if __name__ == "__main__":
    main()
