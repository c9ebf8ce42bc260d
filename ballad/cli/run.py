"""``run``: one experiment, in the foreground."""

import argparse
import json
import sys

from ballad.cli.progress import ShellProgress
from ballad.cli.settings import add_settings, experiment_from
from ballad.cli.tables import print_accuracies


def add_commands(commands: argparse._SubParsersAction) -> None:
    run = commands.add_parser("run", help="train and evaluate one experiment")
    add_settings(run)
    run.add_argument("--json", action="store_true", help="print the result as one JSON object on the last line")
    run.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> None:
    from ballad import api
    from ballad.work.worker import stop_on_signals

    experiment = experiment_from(options)
    with ShellProgress() as progress, stop_on_signals() as stop:
        run = api.run(experiment, on_event=progress, stop=stop)
    result = run.result()
    accuracies = {model: by_split["test"] for model, by_split in result["accuracies"].items()}
    if options.json:
        print(json.dumps({"run": run.id, "key": result["key"], "seconds": result["seconds"], **accuracies}))
        return
    budget = "" if experiment.budget == "full" else f", budget {experiment.budget}"
    print_accuracies(f"{result['dataset']}, backbone {experiment.backbone.name}{budget}, test split", accuracies)
    seconds = ", ".join(f"{phase} {value:.0f} s" for phase, value in result["seconds"].items())
    print(f"run {run.id}: {seconds}\n{run.folder}", file=sys.stderr)
