"""The experiment being put together: entries to experiment and back. Pure functions.

``values`` are setting values by dotted name, with ``seeds`` (as typed) and ``executor`` in place of the one seed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ballad.data.demo.settings import demo_defaults
from ballad.experiment import OPTIONS, Experiment, setting_names
from ballad.heads import HEADS
from ballad.samplers import UNBALANCED
from ballad.store.run import DEFAULT_EXECUTOR
from dashboard.forms.lists import listed, parse_seeds
from dashboard.settings.fields import EXECUTOR, FIELDS, SEEDS
from dashboard.settings.head_fields import entries_of

METHOD = "phase_b.method"

Balancing = Literal["none", "A", "B", "A+B"]
BALANCING: tuple[Balancing, ...] = ("none", "A", "B", "A+B")


@dataclass(frozen=True)
class Request:
    """What a completed form asks for: the experiment with its first seed, all seeds, and the executor of the runs."""

    experiment: Experiment
    seeds: list[int]
    executor: str

    @property
    def experiments(self) -> list[Experiment]:
        return [self.experiment.model_copy(update={"seed": seed}) for seed in self.seeds]


def request_of(values: Mapping[str, Any]) -> Request:
    """Raises SettingsError with the sentence to show beside the form."""
    seeds = parse_seeds(values[SEEDS])
    settings = {path: value for path, value in values.items() if path in setting_names()}
    settings[OPTIONS] = {
        option: values[entry] for option, entry in entries_of(values[METHOD]).items() if entry not in setting_names()
    }
    if settings["prompts.kind"] != "custom":
        settings["prompts.templates"] = ()
    return Request(Experiment().with_values({**settings, "seed": seeds[0]}), seeds, values[EXECUTOR])


def values_of(experiment: Experiment, seeds: Sequence[int] = (), executor: str = DEFAULT_EXECUTOR) -> dict[str, Any]:
    """The entries that ask for ``experiment``, under its own seed where ``seeds`` names none."""
    values: dict[str, Any] = {SEEDS: listed(list(seeds) or [experiment.seed]), EXECUTOR: executor}
    for method, head in HEADS.items():
        options = experiment.phase_b.head_options if method == experiment.phase_b.method else head.Options()
        values |= {entry: getattr(options, option) for option, entry in entries_of(method).items()}
    values |= experiment.flat()
    return {path: values[path] for path in FIELDS}


def default_experiment(dataset: str = "demo", backbone: str = "demo") -> Experiment:
    """What the shell uses when only these two are named: the paper's settings, or the demo's own."""
    given = {"dataset.source": dataset, "backbone.name": backbone}
    return Experiment().with_values({**demo_defaults(given), **given})


def with_dataset_and_backbone(values: Mapping[str, Any], dataset: str, backbone: str) -> dict[str, Any]:
    """The entries after another dataset or backbone was chosen: what was still at its default takes the new default."""
    before = values_of(default_experiment(values["dataset.source"], values["backbone.name"]))
    after = values_of(default_experiment(dataset, backbone))
    followed = {path: after[path] if value == before[path] else value for path, value in values.items()}
    return {**followed, "dataset.source": dataset, "backbone.name": backbone}


def balancing_of(values: Mapping[str, Any]) -> Balancing:
    """Which phases use a sampler other than instance sampling (Table 7)."""
    in_a, in_b = (values[f"{phase}.sampler"] != UNBALANCED for phase in ("phase_a", "phase_b"))
    return "A+B" if in_a and in_b else "A" if in_a else "B" if in_b else "none"


def with_balancing(values: Mapping[str, Any], balancing: Balancing) -> dict[str, Any]:
    """The entries with these phases balanced, by the sampler chosen so far, and the others on instance sampling."""
    samplers = [values["phase_b.sampler"], values["phase_a.sampler"], "class_balanced"]
    balanced = next(sampler for sampler in samplers if sampler != UNBALANCED)
    chosen = dict(values)
    for letter, path in (("A", "phase_a.sampler"), ("B", "phase_b.sampler")):
        if letter not in balancing.split("+"):
            chosen[path] = UNBALANCED
        elif chosen[path] == UNBALANCED:
            chosen[path] = balanced
    return chosen
