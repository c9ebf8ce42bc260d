"""``sweep``, ``list``, ``show``, ``resume``, ``cancel`` and ``worker``: runs and the queue."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import yaml

from ballad.assignments import grid
from ballad.cli.groups import failures, finish_groups
from ballad.cli.progress import ShellProgress
from ballad.cli.settings import add_executor, add_settings, experiment_from
from ballad.cli.tables import add_json, print_table, records
from ballad.errors import BalladError, Cancelled, RunError
from ballad.schedules import model_title
from ballad.shot_groups import GROUPS
from ballad.wording import duration, number

if TYPE_CHECKING:
    import pandas as pd

    from ballad.store.run_store import RunStore


def add_commands(commands: argparse._SubParsersAction) -> None:
    sweep = commands.add_parser("sweep", help="run every combination of some settings' values")
    add_settings(sweep)
    sweep.add_argument(
        "--grid",
        action="append",
        default=[],
        required=True,
        metavar="FIELD=VALUE,VALUE,…",
        help="a setting and the values to try, such as phase_b.residual_factor=0.1,0.2; may be repeated",
    )
    add_executor(sweep)
    _add_queue_option(sweep)
    add_json(sweep, "the runs")
    sweep.set_defaults(command=_sweep)

    listing = commands.add_parser("list", help="list runs, the newest first")
    listing.add_argument(
        "--status", action="append", help="only runs with this status: queued, running, done, …; may be repeated"
    )
    listing.add_argument("--group", help="only runs of the group with this id")
    listing.add_argument("--tag", help="only runs with this tag")
    listing.add_argument("--limit", type=int, default=50, help="runs to show (default: 50)")
    add_json(listing, "the runs")
    listing.set_defaults(command=_list)

    show = commands.add_parser("show", help="show one run: where it stands, its settings, accuracies and log")
    show.add_argument("run", metavar="RUN", help="a run's id, or the beginning of one")
    show.add_argument("--log", action="store_true", help="the whole log, with tracebacks")
    add_json(show, "the run, its settings, accuracies and log")
    show.set_defaults(command=_show)

    resume = commands.add_parser("resume", help="continue failed, cancelled or interrupted runs")
    _add_runs_or_group(resume)
    _add_queue_option(resume)
    resume.set_defaults(command=_resume)

    cancel = commands.add_parser("cancel", help="cancel queued and running runs")
    _add_runs_or_group(cancel)
    cancel.set_defaults(command=_cancel)

    worker = commands.add_parser("worker", help="work on the queue, on all devices or one, until stopped")
    worker.add_argument("--run", metavar="RUN", help="only this run")
    worker.add_argument("--device", help="only this device: cpu, cuda or cuda:N")
    worker.add_argument("--drain", action="store_true", help="stop when nothing is queued")
    worker.add_argument("--claimed-by", help=argparse.SUPPRESS)
    worker.set_defaults(command=_worker)


def _add_queue_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--queue", action="store_true", help="only queue the runs, for the dashboard or a worker to execute"
    )


def _add_runs_or_group(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", metavar="RUN", nargs="*", help="runs' ids, or their beginnings")
    parser.add_argument("--group", help="all runs of the group with this id")


def _sweep(options: argparse.Namespace) -> int:
    from ballad.store import queries
    from ballad.sweeps import queue_sweep
    from ballad.work.devices import device_for, list_devices

    base = experiment_from(options)
    if not options.queue:
        device_for(base.runtime.device, list_devices())
    store = _store()
    group_id = queue_sweep(store, base, grid(options.grid), executor=options.executor)
    print(f"group {group_id}: {len(store.group_ids(group_id))} runs", file=sys.stderr)
    try:
        if not options.queue:
            finish_groups(store, [group_id])
    except Cancelled:
        print(
            f"Runs that had not begun stay queued; `python -m ballad cancel --group {group_id}` cancels them.",
            file=sys.stderr,
        )
        if not options.json:
            _print_runs(queries.runs(store, group_id=group_id))
        raise
    _print_runs(queries.runs(store, group_id=group_id), as_json=options.json)
    return 0 if options.queue else _exit_code(failures(store, [group_id]))


def _exit_code(failures: Sequence[str]) -> int:
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


def _list(options: argparse.Namespace) -> None:
    from ballad.store import queries

    store = _store()
    store.interrupt_orphans()
    table = queries.runs(store, statuses=options.status, group_id=options.group, tag=options.tag)
    _print_runs(table.head(options.limit), as_json=options.json)
    if len(table) > options.limit:
        print(f"{len(table) - options.limit} older runs are not shown.", file=sys.stderr)


def _print_runs(table: "pd.DataFrame", *, as_json: bool = False) -> None:
    if as_json:
        print(json.dumps(records(table)))
        return
    rows = [
        [
            run["id"],
            run["name"] or None,
            run["status"],
            run["dataset"],
            run["backbone"],
            run["schedule"],
            run["seed"],
            duration(run["seconds"]) if run["attempts"] else None,
            *(number(run[group]) for group in GROUPS),
        ]
        for run in table.to_dict("records")
    ]
    columns = ["run", "name", "status", "dataset", "backbone", "schedule", "seed", "time", *GROUPS]
    print_table("runs, test accuracy of the final model in %", columns, rows, numbers=6)


def _show(options: argparse.Namespace) -> None:
    from ballad.store import queries

    store = _store()
    store.interrupt_orphans()
    run = store.get(options.run)
    runs = queries.runs(store, run_ids=[run.id], deleted=run.deleted is not None)
    results, log = queries.results(store, [run.id]), queries.log(store, run.id)
    if options.json:
        (shown,) = records(runs)
        settings = json.loads(run.settings)
        print(json.dumps({**shown, "settings": settings, "results": records(results), "log": records(log)}))
        return
    row = runs.iloc[0]
    facts = {
        "status": row["status"],
        "error": run.error,
        "name": run.name or None,
        "group": run.group_id,
        "tags": ", ".join(run.tags) or None,
        "notes": run.notes or None,
        "device": run.device,
        "started by": run.started_by,
        "created": f"{row['created'].tz_convert(None):%Y-%m-%d %H:%M:%S} UTC",
        "time": duration(row["seconds"]),
    }
    print_table(f"run {run.id}", ["", ""], [[name, value] for name, value in facts.items() if value is not None])
    if len(results):
        rows = [
            [model_title(result["model"]), result["split"], *(number(result[group]) for group in GROUPS)]
            for result in results.to_dict("records")
        ]
        print_table("top-1 accuracy, %", ["model", "split", *GROUPS], rows, numbers=4)
    print(yaml.safe_dump(json.loads(run.settings), sort_keys=False))
    for line in log.to_dict("records"):
        if options.log or line["level"] != "traceback":
            print(f"{line['time']:%H:%M:%S}  {line['level']:9}  {line['text']}")


def _resume(options: argparse.Namespace) -> int:
    from ballad import api
    from ballad.work.worker import stop_on_signals

    store = _store()
    store.interrupt_orphans()
    resumed = store.resume(*_chosen(store, options))
    if not resumed:
        raise RunError(
            "None of these runs has failed or has been cancelled or interrupted, so there is nothing to resume."
        )
    print(f"queued again: {', '.join(resumed)}", file=sys.stderr)
    if options.queue:
        return 0
    failed = []
    for run_id in resumed:
        with ShellProgress() as progress, stop_on_signals() as stop:
            try:
                api.finish_here(store, run_id, on_event=progress, stop=stop)
            except BalladError as error:  # the others are worth finishing
                failed.append(f"run {run_id}: {error}")
    return _exit_code(failed)


def _cancel(options: argparse.Namespace) -> None:
    store = _store()
    cancelled = store.cancel(*_chosen(store, options))
    if not cancelled:
        raise RunError("None of these runs is queued or running, so there is nothing to cancel.")
    print(f"cancelled: {', '.join(cancelled)}")


def _worker(options: argparse.Namespace) -> int:
    from ballad.work.jobs import JobManager
    from ballad.work.worker import stop_on_signals, work_on

    store = _store()
    with stop_on_signals() as stop:
        if options.run is not None:
            job = work_on(store, options.run, stop=stop, device=options.device, claimed_by=options.claimed_by)
            return 0 if job.stopped_by is None else 1
        devices = None if options.device is None else [options.device]
        with JobManager(store, devices=devices, exclusive=False, drain=options.drain) as manager:
            while not manager.wait(0.5) and not stop.is_set():
                pass
    return 0


def _chosen(store: "RunStore", options: argparse.Namespace) -> list[str]:
    chosen = [store.get(run).id for run in options.runs]
    if options.group is not None:
        chosen += store.group_ids(options.group)
    if not chosen:
        raise RunError("Name at least one run, or a group with --group; `python -m ballad list` shows the ids.")
    return chosen


def _store() -> "RunStore":
    from ballad.home import default_home
    from ballad.store.run_store import RunStore

    return RunStore(default_home())
