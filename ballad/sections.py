"""The sections of an experiment's settings: each a group of fields with their limits and defaults.

Defaults are the paper's (arXiv 2111.14745, section 4.1), or its released code's where the paper is silent.
"""

from collections.abc import Collection, Iterable, Mapping
from itertools import product
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator, model_validator

from ballad.heads import HEADS
from ballad.heads.ballad import Ballad, BalladOptions
from ballad.heads.head import Head, HeadOptions
from ballad.samplers import SAMPLERS
from ballad.schedules import SCHEDULES
from ballad.settings import Count, Fraction, Positive, Seed, Settings, refusal

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
        if isinstance(given, dict) and "learning_rate" not in given and (head := head_named(given.get("method"))):
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
            raise ValueError(" ".join(refusal(problem) for problem in error.errors()).removesuffix(".")) from None

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


def head_named(name: object) -> type[Head] | None:
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
