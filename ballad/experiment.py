"""What to run: an experiment as a whole, validated, frozen, with a stable hash; its sections are in ballad.sections."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticSerializationError

from ballad.errors import SettingsError
from ballad.schedules import PHASE_A, SCHEDULES, Model, Schedule
from ballad.sections import (
    BackboneSettings,
    DatasetSettings,
    OptimizerSettings,
    PhaseASettings,
    PhaseBSettings,
    PromptSettings,
    RuntimeSettings,
    ScheduleName,
    head_named,
)
from ballad.settings import Seed, Settings, refusal

OPTIONS = "phase_b.options"
"""Where the options of a method lie: ``phase_b.options.tau`` is the option ``tau``."""

LONGEST_FILE = 1_000_000
"""Characters of a settings file; another file given by mistake may be longer than memory."""


class Experiment(Settings):
    """One experiment: settings in, numbers out."""

    name: str = ""
    notes: str = ""
    dataset: DatasetSettings = DatasetSettings()
    backbone: BackboneSettings = BackboneSettings()
    prompts: PromptSettings = PromptSettings()
    schedule: ScheduleName = "decoupled"
    phase_a: PhaseASettings = PhaseASettings()
    phase_b: PhaseBSettings = PhaseBSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    runtime: RuntimeSettings = RuntimeSettings()
    budget: str = "full"
    """The name of a reduced budget that shaped these settings; shown with every result."""
    seed: Seed = 0

    @model_validator(mode="after")
    def _schedule_fits_method(self) -> Self:
        head = self.phase_b.head
        if self.training.is_joint and not head.trains_with_towers():
            raise ValueError(
                f"the method {head.name} cannot be trained along with the towers; choose the schedule decoupled"
            )
        if head.reads_training_features and self.training.has_phase_b and self.phase_b.features == "exact":
            raise ValueError(f"the method {head.name} reads stored features; choose phase_b.features=cached")
        return self

    @property
    def training(self) -> Schedule:
        """What the schedule trains."""
        return SCHEDULES[self.schedule]

    @property
    def models(self) -> list[Model]:
        """What is evaluated: the untouched towers, then what the schedule trains."""
        return self.training.models(self.phase_b.method)

    @property
    def final_model(self) -> Model:
        """The model whose accuracy is the run's."""
        return self.models[-1]

    def up_to(self, model: Model) -> "Experiment":
        """The shortest experiment that yields one of :attr:`models`, as this one does."""
        return self.model_copy(update={"schedule": self.training.up_to(model, self.phase_b.method).name})

    @property
    def head_settings(self) -> PhaseBSettings:
        """The settings of Phase B that count: joint training has no search and no adjustment afterwards."""
        if self.training.has_phase_b:
            return self.phase_b
        return self.phase_b.model_copy(update={"search": "none", "adjustment": 0.0})

    @property
    def interpolation(self) -> float:
        """α of WiSE-FT where it counts: joint training hands on the towers that it trained a head on."""
        return 1.0 if self.training.is_joint else self.phase_a.interpolation

    @property
    def adapter_seed(self) -> int:
        return self.seed if self.phase_b.seed is None else self.phase_b.seed

    @property
    def towers_key(self) -> str:
        """The same for experiments that share the training of their towers, which takes most of the time."""
        phase_a = self.phase_a.model_copy(update={"interpolation": 1.0})
        return self.model_copy(update={"schedule": self.training.without_phase_b.name, "phase_a": phase_a}).key

    @property
    def key(self) -> str:
        """16 hex digits that change exactly when a setting changes that can change a number."""
        return settings_hash(self._what_counts())

    def _what_counts(self) -> dict[str, Any]:
        settings = self.model_dump(mode="json", exclude={"name", "notes", "runtime", "budget"})
        settings["phase_a"] = self.phase_a.training_values()
        if self.interpolation != 1:
            settings["phase_a"]["interpolation"] = self.interpolation
        phase_b = self.head_settings
        settings["phase_b"] = {**phase_b.training_values(), **phase_b.method_values(), "seed": self.adapter_seed}
        if not self.training.trains_towers:
            settings.pop("phase_a")
        if not self.training.trains_head:
            settings.pop("phase_b")
        return settings

    def with_values(self, values: Mapping[str, Any]) -> "Experiment":
        """A copy with dotted fields replaced: ``{"phase_b.sampler": "square_root"}``.

        Another method starts from its own default options, and from its own rate where the old one's was left alone.

        Raises SettingsError for an unknown field or a value that is not allowed.
        """
        settings = self.model_dump(mode="json")
        method = values.get("phase_b.method", self.phase_b.method)
        if method != self.phase_b.method:
            settings["phase_b"]["options"] = {}
            if self.phase_b.learning_rate == self.phase_b.head.learning_rate and (head := head_named(method)):
                settings["phase_b"]["learning_rate"] = head.learning_rate
        for path, value in values.items():
            section, _, field = path.rpartition(".")
            if section == OPTIONS:
                options = settings["phase_b"]["options"]
                if isinstance(options, Mapping):  # otherwise given beside, and refused below
                    settings["phase_b"]["options"] = {**options, field: value}
            elif path in setting_names():
                (settings[section] if section else settings)[field] = value
            else:
                raise SettingsError(f"There is no setting '{path}'. {_nearest(path)}")
        return Experiment.parse(settings)

    @classmethod
    def parse(cls, settings: Mapping[str, Any]) -> "Experiment":
        """Validate plain values; SettingsError names the field, the value and what is allowed."""
        try:
            experiment = cls.model_validate(settings)
        except ValidationError as error:
            raise SettingsError(" ".join(_sentence(problem) for problem in error.errors())) from None
        try:
            experiment.model_dump_json()
        except PydanticSerializationError:
            # Lone surrogates: how Python hands on the bytes of a command line in another encoding.
            raise SettingsError("A setting is not UTF-8 text and cannot be stored; write it in UTF-8.") from None
        return experiment

    @classmethod
    def read(cls, path: Path) -> "Experiment":
        """Read a YAML or JSON file of settings; what is not named keeps its default."""
        try:
            with Path(path).open(encoding="utf-8") as file:
                text = file.read(LONGEST_FILE + 1)
        except OSError as error:
            raise SettingsError(f"The settings file {path} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise SettingsError(f"The settings file {path} is not UTF-8 text; save it as UTF-8.") from None
        except ValueError:
            raise SettingsError(f"'{path}' cannot be the name of a file.") from None
        if len(text) > LONGEST_FILE:
            raise SettingsError(f"The settings file {path} is too long to be a settings file.")
        try:
            settings = _parse_text(text) or {}
        except yaml.YAMLError as error:
            raise SettingsError(f"The settings file {path} is neither YAML nor JSON: {_on_one_line(error)}.") from None
        except ValueError as error:  # such as a date that there is not
            raise SettingsError(f"The settings file {path} cannot be read: {_on_one_line(error)}.") from None
        except RecursionError:
            raise SettingsError(f"The settings file {path} is nested too deeply to be a settings file.") from None
        if not isinstance(settings, dict):
            raise SettingsError(f"The settings file {path} must hold a mapping of settings to values.")
        return cls.parse(settings)

    def flat(self) -> dict[str, Any]:
        """All settings by dotted name, each option of the method by its own: ``phase_b.options.tau``."""
        flat: dict[str, Any] = {}
        for name in setting_names():
            section, _, field = name.rpartition(".")
            value = getattr(getattr(self, section) if section else self, field)
            flat |= {f"{name}.{option}": each for option, each in value.items()} if name == OPTIONS else {name: value}
        return flat

    def to_yaml(self) -> str:
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)

    def to_json(self) -> str:
        return self.model_dump_json(indent=2)


def count_phases_a(experiments: Iterable[Experiment]) -> int | None:
    """How many trainings of Phase A these experiments rest on, each counted once; None instead of 0."""
    keys = {experiment.towers_key for experiment in experiments if PHASE_A in experiment.training.phases}
    return len(keys) or None


def settings_hash(settings: Any) -> str:
    """16 hex digits of a JSON-able value, independent of the order of its keys."""
    canonical = json.dumps(settings, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _parse_text(text: str) -> Any:
    """The value of JSON or YAML. JSON may hold characters that YAML's reader refuses, and writes numbers otherwise."""
    try:
        return json.loads(text)
    except ValueError:
        return yaml.safe_load(text)


def parse_value(text: str) -> Any:
    """The value a shell word stands for: ``0.3`` a number, ``true`` a truth value, ``null`` nothing."""
    # YAML 1.1 reads 1e-5 as a string, because it has no dot.
    if re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", text):
        return float(text)
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):  # a ValueError for a date that there is not, or a number of 5,000 digits
        return text
    except RecursionError:
        raise SettingsError(f"The value '{text}' is nested too deeply for a setting.") from None


def parse_setting(path: str, text: str) -> Any:
    """The value that a shell word stands for as the setting ``path``: a name may look like a number, ``2024``."""
    value = parse_value(text)
    takes = _annotation(path)
    if isinstance(value, str) or takes not in (str, str | None) or (value is None and takes is not str):
        return value
    return text


def _annotation(path: str) -> Any:
    """What a setting takes; None if there is no such setting."""
    model: Any = Experiment
    for part in path.split("."):
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            return None
        model = field.annotation
    return model


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """The last part of each dotted setting, or all of it where two settings share their last part."""
    last = {path: path.rpartition(".")[2] for path in paths}
    shared = {part for part, count in Counter(last.values()).items() if count > 1}
    return {path: path if part in shared else part for path, part in last.items()}


def setting_names() -> list[str]:
    """All dotted field names, ``phase_b.sampler`` and so on; a method's options lie below ``phase_b.options``."""
    names = []
    for name, value in Experiment().model_dump().items():
        names += [f"{name}.{field}" for field in value] if isinstance(value, dict) else [name]
    return names


def _nearest(path: str) -> str:
    from difflib import get_close_matches

    matches = get_close_matches(path, setting_names(), n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(matches)}?" if matches else f"The settings are {', '.join(setting_names())}."


def _sentence(problem: ErrorDetails) -> str:
    if problem["type"] == "extra_forbidden":
        field = ".".join(map(str, problem["loc"]))
        return f"There is no setting '{field}'. {_nearest(field)}"
    return refusal(problem)


def _on_one_line(error: object) -> str:
    return " ".join(str(error).split())
