"""The shell command that does what a form asks for, and the same words for links."""

import json
import shlex
from collections.abc import Sequence
from typing import Any

from ballad.assignments import assignments
from ballad.data.demo.settings import demo_defaults
from ballad.experiment import Experiment, parse_value
from ballad.heads.ballad import Ballad
from dashboard.forms.draft import METHOD, default_experiment
from dashboard.settings.head_fields import entries_of

_OPTIONS = {
    "dataset.source": "--dataset",
    "backbone.name": "--backbone",
    "name": "--name",
    "runtime.device": "--device",
}


def changed_settings(experiment: Experiment) -> dict[str, Any]:
    """The assignments that define ``experiment``: everything that differs from the defaults of its dataset and
    backbone.

    The settings of a phase that the schedule does not have are left out, since they change nothing.
    """
    chosen, method = experiment.flat(), experiment.phase_b.method
    default = default_experiment(experiment.dataset.source, experiment.backbone.name)
    defaults = {**default.with_values({METHOD: method}).flat(), METHOD: default.phase_b.method}
    unused = tuple(f"{section}." for section in experiment.training.unused_sections if section != "optimizer")
    if method != Ballad.name:
        unused += tuple(entries_of(Ballad.name).values())
    changed = {path: chosen[path] for path in ("dataset.source", "backbone.name") if chosen[path] != "demo"}
    for path, value in chosen.items():
        if value != defaults[path] and not path.startswith(unused):
            changed[path] = value
    return changed


def assignment(path: str, value: Any) -> str:
    """``FIELD=VALUE`` as the shell's ``--set`` reads it back."""
    plain = isinstance(value, str) and value != "" and parse_value(value) == value
    return f"{path}={value if plain else json.dumps(value, ensure_ascii=False)}"


def assigned_words(experiment: Experiment) -> list[str]:
    """The experiment as ``FIELD=VALUE`` words, for links."""
    return [assignment(path, value) for path, value in changed_settings(experiment).items()]


def experiment_of_words(words: Sequence[str]) -> Experiment:
    """What :func:`assigned_words` wrote. Raises SettingsError."""
    values = assignments(words)
    return Experiment().with_values({**demo_defaults(values), **values})


def shell_command(experiment: Experiment, seeds: Sequence[int]) -> str:
    """``python -m ballad run …``, or ``sweep`` over several seeds, one option per line."""
    changed = changed_settings(experiment)
    seed = changed.pop("seed", 0)
    named = [f"{option}={shlex.quote(changed.pop(path))}" for path, option in _OPTIONS.items() if changed.get(path)]
    settings = [f"--set {shlex.quote(assignment(path, value))}" for path, value in changed.items()]
    if len(seeds) > 1:
        return _lines("python -m ballad sweep", [*named, f"--grid seed={','.join(map(str, seeds))}", *settings])
    return _lines("python -m ballad run", [*named, *([f"--seed={seed}"] if seed else []), *settings])


def _lines(command: str, options: Sequence[str]) -> str:
    return " \\\n    ".join([" ".join([command, *options[:2]]), *options[2:]])
