"""What to run: every setting of an experiment, validated, frozen, with a stable hash.

Defaults are the paper's (arXiv 2111.14745, section 4.1), or its released code's where the paper is silent.
"""

import hashlib
import json
import re
import reprlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticSerializationError

from ballad.errors import SettingsError
from ballad.heads import HEADS
from ballad.heads.ballad import Ballad, BalladOptions
from ballad.heads.head import Head, HeadOptions
from ballad.samplers import SAMPLERS
from ballad.schedules import PHASE_A, SCHEDULES, Model, Schedule
from ballad.settings import Count, Fraction, Positive, Seed, Settings

OPTIONS = "phase_b.options"
"""Where the options of a method lie: ``phase_b.options.tau`` is the option ``tau``."""

LONGEST_FILE = 1_000_000
"""Characters of a settings file; another file given by mistake may be longer than memory."""

Objective = Literal["class", "image_to_text", "symmetric"]
Towers = Literal["both", "image", "text"]
Tuned = Literal[Towers, "lift"]
Augmentation = Literal["none", "crop_flip", "crop_flip_jitter", "wide_crop_flip"]
Selection = Literal["last", "best"]


def _one_of(names: Collection[str]) -> AfterValidator:
    def known(name: str) -> str:
        if name not in names:
            raise ValueError(f"should be one of {', '.join(names)}")
        return name

    return AfterValidator(known)


SamplerName = Annotated[str, _one_of(SAMPLERS)]
ScheduleName = Annotated[str, _one_of(SCHEDULES)]
MethodName = Annotated[str, _one_of(HEADS)]


class DatasetSettings(Settings):
    """Which images, and how they are thinned out or split."""

    source: str = "demo"
    """A name in the catalogue, a folder, or a CSV/Parquet table."""
    imbalance_ratio: Annotated[float, Field(ge=1)] | None = None
    """n_max / n_min of a long-tail subsample of the training split; None keeps every image."""
    imbalance_profile: Literal["exponential", "pareto"] = "exponential"
    shot_groups: Literal["recount", "rho100"] = "recount"
    """Shot groups from this training split's counts, or (CIFAR-LT) kept from the split with ratio 100."""
    validation_per_class: Annotated[int, Field(ge=0)] = 0
    """Images per class set aside from training where the set has no validation split."""
    test_per_class: Annotated[int, Field(ge=0)] = 0
    """Images per class set aside from training where the set has no test split."""
    classes: Annotated[int, Field(ge=2)] | None = None
    """Keep only so many classes, evenly spaced over the classes ordered by count; None keeps all."""
    split_seed: Seed = 0
    shorter_side: Annotated[int, Field(ge=16)] | None = None
    """Scale larger pictures down to this shorter side once and keep them decoded; None reads files in every epoch.
    At the backbone's image size the plain views stay the same, and crops for training are scaled up a little."""
    skip_unreadable: bool = False
    """Leave unreadable images out (they are listed) instead of stopping at the first."""


class BackboneSettings(Settings):
    """Which pretrained dual encoder."""

    name: str = "demo"
    """``demo``, RN50, RN101, ViT-B/16, RN50x16, an open_clip architecture, ``hf-hub:…``, ``local-dir:…``, a folder."""
    pretrained: str | None = None
    """An open_clip tag or a checkpoint file; None takes the name's own weights."""
    image_tower: Literal["pretrained", "random"] = "pretrained"
    text_tower: Literal["pretrained", "random"] = "pretrained"
    image_size: Annotated[int, Field(ge=16)] | None = None
    """Side of the input in pixels; None takes the backbone's own."""
    temperature: Positive | None = None
    """τ of Eq. 1, logits are similarities / τ; None takes the backbone's own logit scale (100 for CLIP).
    The paper states τ = 1, its released code uses τ = 0.01."""
    trust_torchscript: bool = False
    """Read a TorchScript archive (OpenAI's own ``.pt`` files). Such a file can carry code."""


class PromptSettings(Settings):
    """The sentences that stand for a class (Table 10)."""

    kind: Literal["single", "random_single", "ensemble", "custom"] = "single"
    templates: tuple[str, ...] = ()
    """For ``custom``: sentences with one ``{}`` each; several are averaged as an ensemble."""

    @model_validator(mode="after")
    def _templates_fit_kind(self) -> Self:
        if self.kind == "custom" and not self.templates:
            raise ValueError("kind 'custom' needs at least one template, such as 'a photo of a {}.'")
        if self.kind != "custom" and self.templates:
            raise ValueError("templates are given with kind 'custom', and only with it")
        for template in self.templates:
            if template.count("{}") != 1:
                raise ValueError(f"each template needs exactly one {{}} for the class name; {template!r} does not")
        return self


class PhaseASettings(Settings):
    """Continued contrastive training of the towers; also the one phase of ``joint``."""

    epochs: Annotated[int, Field(ge=0)] = 50
    learning_rate: Positive = 1e-5
    tuned: Tuned = "both"
    """Towers that are trained (Table 5); ``lift``: only small bottlenecks, added to the image tower (LIFT)."""
    sampler: SamplerName = "instance"
    objective: Objective = "class"
    """``class``: cross-entropy over all K class texts (Algorithm 1); ``image_to_text``: Eq. 2; ``symmetric``: + 3."""
    batch_size: Count = 512
    micro_batch: Count | None = None
    """Images at a time on the device; gradients accumulate to ``batch_size``. None: the whole batch."""
    augmentation: Augmentation = "crop_flip"
    precision: Literal["fp32", "bf16"] = "fp32"
    """``bf16``: autocast over fp32 weights. Pure half-precision weights lose most updates at a rate of 1e-5."""
    images_per_draw: Count = 1
    """Images taken in a row from each class that a class-wise sampler draws (the released code: 4)."""
    drop_last: bool = False
    selection: Selection = "last"
    """Hand on the towers of the last epoch, or of the best on validation."""
    interpolation: Fraction = 1.0
    """α of WiSE-FT: hand on (1 − α) · untouched + α · tuned towers, which costs no training; not for ``joint``."""

    def training_values(self) -> dict[str, Any]:
        """What the training depends on, as keys hold it."""
        return self.model_dump(mode="json", exclude={"micro_batch", "interpolation"})


class PhaseBSettings(BalladOptions):
    """A head on frozen towers; the options of BALLAD's adapter are fields, which other methods do not use."""

    method: MethodName = Ballad.name
    """What is trained: one of :data:`ballad.heads.HEADS`."""
    options: dict[str, Any] = Field(default={}, validate_default=True)
    """The method's own settings, completed by their defaults; BALLAD's are not among them."""
    epochs: Annotated[int, Field(ge=0)] = 10
    learning_rate: Positive = 0.2
    sampler: SamplerName = "class_balanced"
    batch_size: Count = 512
    features: Literal["cached", "exact"] = "cached"
    """Train on stored features, or on fresh augmentations through the towers in every epoch."""
    views: Count = 1
    """The most stored views per image: the plain one, then augmented ones. Rare classes get the most."""
    augmentation: Augmentation = "crop_flip"
    """For the views beyond the first, and for ``exact``."""
    images_per_draw: Count = 1
    drop_last: bool = False
    selection: Selection = "last"
    """Keep the adapter of the last epoch, or of the best on validation (never on test)."""
    adjustment: Annotated[float, Field(ge=0)] = 0.0
    """τ of a logit adjustment after training, with any method: τ · log π_k is taken from the logits; 0 is none."""
    search: Literal["none", "grid"] = "none"
    """``grid``: train at every point of the method's declared grid, and keep the best on validation."""
    seed: Seed | None = None
    """Seed of the adapter's start and batches; None takes the experiment's."""

    @model_validator(mode="before")
    @classmethod
    def _rate_of_the_method(cls, given: Any) -> Any:
        if isinstance(given, dict) and "learning_rate" not in given and (head := _head_named(given.get("method"))):
            return {**given, "learning_rate": head.learning_rate}
        return given

    @field_validator("options")
    @classmethod
    def _options_of_the_method(cls, given: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        method = info.data.get("method")
        if method is None:  # refused already
            return given
        options = HeadOptions if method == Ballad.name else HEADS[method].Options
        if unknown := [name for name in given if name not in options.model_fields]:
            raise ValueError(
                f"the method {method} has no option {' or '.join(map(repr, unknown))}; {_known_options(method)}"
            )
        try:
            return options.model_validate(given).model_dump(mode="json")
        except ValidationError as error:
            raise ValueError(" ".join(_sentence(problem) for problem in error.errors()).removesuffix(".")) from None

    @property
    def head(self) -> type[Head]:
        """The method."""
        return HEADS[self.method]

    @property
    def head_options(self) -> HeadOptions:
        """The method's options, wherever they lie."""
        if self.method == Ballad.name:
            return BalladOptions.model_validate(self.model_dump(include=set(BalladOptions.model_fields)))
        return self.head.Options.model_validate(self.options)

    @property
    def points(self) -> list[Self]:
        """What is trained: these settings, or in a search one copy for each point of the method's grid."""
        if self.search == "none":
            return [self]
        combinations = product(*self.head.grid.values())
        return [self.at(dict(zip(self.head.grid, values, strict=True))) for values in combinations]

    def at(self, point: Mapping[str, Any]) -> Self:
        """These settings without a search, at one point of the method's grid."""
        beside = type(self).model_fields.keys() & point.keys()
        options = {**self.options, **{name: value for name, value in point.items() if name not in beside}}
        return self.model_copy(update={**{name: point[name] for name in beside}, "options": options, "search": "none"})

    def values_of(self, names: Iterable[str]) -> dict[str, Any]:
        """Settings of Phase B or options of its method, by name."""
        options = self.head_options
        return {name: getattr(options if name in type(options).model_fields else self, name) for name in names}

    def method_values(self) -> dict[str, Any]:
        """The method and its options as keys hold them, which for BALLAD is as in release 0.1."""
        options = self._without_searched(self.head_options.model_dump(mode="json"))
        return options if self.method == Ballad.name else {"method": self.method, "options": options}

    def training_values(self) -> dict[str, Any]:
        """All other settings but the seed, as keys hold them; those of steps only where the method takes steps."""
        afterwards: dict[str, Any] = {"adjustment": self.adjustment} if self.adjustment else {}
        if self.search == "grid":
            afterwards["grid"] = {name: list(values) for name, values in self.head.grid.items()}
        if self.head.averages_views and self.views > 1:
            afterwards["averaged_views"] = True  # as opposed to results that were stored before views were averaged
        if not self.head.learns:
            return {**self.model_dump(mode="json", include={"features", "views", "augmentation"}), **afterwards}
        others = {"method", "options", "seed", "adjustment", "search", *BalladOptions.model_fields}
        if self.head.chooses_sampler:
            others.add("sampler")
        return {**self._without_searched(self.model_dump(mode="json", exclude=others)), **afterwards}

    def _without_searched(self, values: dict[str, Any]) -> dict[str, Any]:
        """Values that a search tries itself cannot change a number."""
        searched = self.head.grid if self.search == "grid" else {}
        return {name: value for name, value in values.items() if name not in searched}


def _head_named(name: object) -> type[Head] | None:
    """The method of this name; None where it is unknown, or no name at all."""
    return HEADS.get(name) if isinstance(name, str) else None


def _known_options(method: str) -> str:
    names = list(HEADS[method].Options.model_fields)
    if method == Ballad.name:
        return f"its settings are {', '.join(f'phase_b.{name}' for name in names)}"
    return f"its options are {', '.join(names)}" if names else "it has none"


class OptimizerSettings(Settings):
    """SGD, for both phases."""

    momentum: Fraction = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 5e-4
    cosine_by: Literal["step", "epoch"] = "step"
    """``epoch`` steps before each epoch as the released code does, so the last epoch's rate is 0."""


class RuntimeSettings(Settings):
    """Where and how it is computed; changes no number but by rounding, so not part of the key."""

    device: str = "auto"
    """``auto``, ``cpu``, ``cuda`` or ``cuda:N``."""
    workers: Annotated[int, Field(ge=0)] = 0
    """Processes that decode images; 0 decodes in the training thread."""
    compile: bool = False
    """Compile the image tower for Phase A: minutes before the first step, then at best twice as fast."""
    keep_towers: bool = False
    """Copy the trained towers into the run's folder."""


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
            if self.phase_b.learning_rate == self.phase_b.head.learning_rate and (head := _head_named(method)):
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


def _sentence(problem: Any) -> str:
    field = ".".join(str(part) for part in problem["loc"]) or "settings"
    if problem["type"] == "extra_forbidden":
        return f"There is no setting '{field}'. {_nearest(field)}"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    shown = "" if isinstance(problem["input"], dict) else f" = {_SHOWN.repr(problem['input'])}"
    return f"{field}{shown}: {message}."


# A file's anchors can make a few lines stand for more elements than there is memory to write down.
_SHOWN = reprlib.Repr()
_SHOWN.maxlist = 10
_SHOWN.maxstring = _SHOWN.maxother = 200


def _on_one_line(error: object) -> str:
    return " ".join(str(error).split())
