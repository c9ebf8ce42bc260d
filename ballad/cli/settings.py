"""Experiment settings from the words of a command line."""

import argparse
from pathlib import Path

from ballad.assignments import assignments
from ballad.data.demo.settings import demo_defaults
from ballad.experiment import Experiment
from ballad.paper.budgets import BUDGETS, with_budget
from ballad.paper.recipes import ALL_RECIPES, recipe_values
from ballad.store.run import DEFAULT_EXECUTOR
from ballad.work.executors.registry import EXECUTORS


def add_settings(parser: argparse.ArgumentParser) -> None:
    """The options of every command that builds an experiment."""
    parser.add_argument("--dataset", metavar="NAME_OR_PATH", help="a catalogue name or a path (default: demo)")
    parser.add_argument("--backbone", metavar="NAME_OR_PATH", help="a model name or a folder (default: demo)")
    parser.add_argument(
        "--recipe", choices=list(ALL_RECIPES), help="the paper (the default), its released code, or LIFT"
    )
    parser.add_argument("--budget", choices=list(BUDGETS), help="reduced training, for small machines")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings in YAML or JSON")
    parser.add_argument("--seed", type=int, help="seed of the experiment")
    parser.add_argument("--device", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--name", help="a name for the run")
    add_assignments(parser, "any setting, such as phase_b.residual_factor=0.3; may be repeated")


def add_executor(parser: argparse.ArgumentParser) -> None:
    """The option of commands that queue runs for workers."""
    parser.add_argument(
        "--executor", choices=list(EXECUTORS), default=DEFAULT_EXECUTOR, help="where each run is executed"
    )


def add_assignments(parser: argparse.ArgumentParser, text: str) -> None:
    """The option ``--set``, with ``text`` as its help."""
    parser.add_argument("--set", action="append", default=[], dest="assignments", metavar="FIELD=VALUE", help=text)


def experiment_from(options: argparse.Namespace) -> Experiment:
    """Defaults or ``--config``, then recipe and budget, then the options. The demo brings defaults of its own size.

    Raises SettingsError.
    """
    given = {
        "dataset.source": options.dataset,
        "backbone.name": options.backbone,
        "seed": options.seed,
        "runtime.device": options.device,
        "name": options.name,
    }
    values = {field: value for field, value in given.items() if value is not None}
    values.update(assignments(options.assignments))
    if options.config is not None:
        base = Experiment.read(options.config)
    else:
        base = Experiment().with_values(demo_defaults(values))
    if options.recipe is not None:
        base = base.with_values(recipe_values(options.recipe))
    if options.budget is not None:
        base = with_budget(base.with_values(values), options.budget)
    return base.with_values(values)
