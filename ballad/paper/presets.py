"""The paper's tables and figures, each as rows of experiments that differ in what it studies.

Every preset is built from one base experiment (dataset, backbone, recipe, budget). Where a table compares backbones it
covers the paper's four if the base has one of them, else the base's own. Rows that share a stage, within a table or
across tables, need no mention of it: stages are found by their content.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ballad.errors import SettingsError
from ballad.experiment import Experiment

PAPER_BACKBONES = ("RN50", "RN101", "ViT-B/16", "RN50x16")
RESIDUAL_FACTORS = tuple(round(0.1 * tenth, 1) for tenth in range(11))


@dataclass(frozen=True)
class Reference:
    """Where the paper gives a row's numbers: the setting's name in the published rows, and its tables or figures."""

    setting: str
    places: tuple[str, ...]


BALLAD = Reference("BALLAD", ("table1", "table2", "table3"))
ZERO_SHOT = Reference("zero-shot", ("table9",))


@dataclass(frozen=True)
class Row:
    """One line of a table, or point of a figure.

    model : which model of the run the line reads: zero_shot, phase_a, ballad or joint.
    references : published counterparts, the closest first.
    """

    setting: str
    model: str
    experiment: Experiment
    references: tuple[Reference, ...]


@dataclass(frozen=True)
class Preset:
    """A table or figure. ``baseline`` is the setting that the others are tested against: the paper's own choice."""

    name: str
    title: str
    build: Callable[[Experiment], list[Row]]
    baseline: str | None = None

    @property
    def place(self) -> str:
        """``Table 7``, ``Figure 5``."""
        return place_title(self.name)

    def rows(self, base: Experiment) -> list[Row]:
        """The rows on the dataset, backbone and budget of ``base``, in the paper's order."""
        return [
            replace(row, experiment=row.experiment.with_values({"name": f"{self.place}: {row.setting}"}))
            for row in self.build(base)
        ]


def place_title(name: str) -> str:
    """``Table 7`` for ``table7``, ``Figure 5`` for ``figure5``."""
    kind = name.rstrip("0123456789")
    return f"{kind.capitalize()} {name.removeprefix(kind)}"


def find_preset(name: str) -> Preset:
    """The preset with this name. Raises SettingsError if there is none."""
    if name not in PRESETS:
        raise SettingsError(f"There is no table or figure '{name}'; there are {', '.join(PRESETS)}.")
    return PRESETS[name]


def with_seeds(experiment: Experiment, number: int) -> list[Experiment]:
    """The experiment under ``number`` seeds, counted up from its own. Raises SettingsError for fewer than one."""
    if number < 1:
        raise SettingsError(f"seeds = {number}: an experiment needs at least one seed.")
    return [experiment.with_values({"seed": experiment.seed + offset}) for offset in range(number)]


def backbone_title(name: str) -> str:
    """A backbone's name as it is shown: without the folders or the address before it."""
    return name if name in PAPER_BACKBONES else name.rstrip("/").rpartition("/")[2]


# What the rows of each vary


def _main_result(table: str, base: Experiment) -> list[Row]:
    """Tables 1–3: BALLAD over the backbones, one table per dataset."""
    reference = Reference("BALLAD", (table,))
    return [Row(name, "ballad", experiment, (reference,)) for name, experiment in _over_backbones(base)]


def _pretrained_towers(base: Experiment) -> list[Row]:
    """Table 4: how much of Phase A's accuracy comes from pretraining, of either tower."""
    rows = []
    for image in ("random", "pretrained"):
        for text in ("random", "pretrained"):
            values = {"schedule": "finetune", "backbone.image_tower": image, "backbone.text_tower": text}
            published = f"Phase A, {image} image tower, {text} text tower"
            rows.append(_row("table4", f"{image} image, {text} text", published, base, values, "phase_a"))
    return rows


def _tuned_towers(base: Experiment) -> list[Row]:
    """Table 5: which towers Phase A trains."""
    published = "no tower tuned (zero-shot)"
    untouched = _row("table5", "none", published, base, {"schedule": "zero_shot"}, "zero_shot", elsewhere=ZERO_SHOT)
    towers = {"image": "image tower tuned", "text": "text tower tuned", "both": "both towers tuned"}
    tuned = [
        _row("table5", which, published, base, {"schedule": "finetune", "phase_a.tuned": which}, "phase_a")
        for which, published in towers.items()
    ]
    return [untouched, *tuned]


def _adapter_placement(base: Experiment) -> list[Row]:
    """Table 6: the adapter on the image features, the class texts, or both."""
    return [
        _row(
            "table6",
            placement,
            f"adapter on {placement}",
            base,
            {"phase_b.placement": placement},
            elsewhere=BALLAD if placement == "image" else None,
        )
        for placement in ("image", "text", "both")
    ]


def _balanced_phases(base: Experiment) -> list[Row]:
    """Table 7: which phases draw with the class-wise sampler; the others draw every image once."""
    sampler = base.phase_b.sampler
    phases = {
        "none": ("no phase", "instance", "instance"),
        "A": ("phase A", sampler, "instance"),
        "B": ("phase B", "instance", sampler),
        "A + B": ("phases A and B", sampler, sampler),
    }
    return [
        _row(
            "table7",
            setting,
            f"balanced in {where}",
            base,
            {"phase_a.sampler": of_a, "phase_b.sampler": of_b},
            elsewhere=BALLAD if setting == "B" else None,
        )
        for setting, (where, of_a, of_b) in phases.items()
    ]


def _balancing_methods(base: Experiment) -> list[Row]:
    """Table 8: how Phase B balances."""
    return [
        _row(
            "table8",
            sampler,
            sampler.replace("_", "-"),
            base,
            {"phase_b.sampler": sampler},
            elsewhere=BALLAD if sampler == "class_balanced" else None,
        )
        for sampler in ("class_balanced", "square_root", "mix_balanced")
    ]


def _zero_shot_against_ballad(base: Experiment) -> list[Row]:
    """Table 9: what adapting brings over the untouched backbone."""
    rows = []
    for name, experiment in _over_backbones(base):
        rows.append(Row(f"{name}, zero-shot", "zero_shot", experiment, (ZERO_SHOT,)))
        rows.append(Row(f"{name}, BALLAD", "ballad", experiment, (Reference("BALLAD", ("table9",)),)))
    return rows


def _prompts(base: Experiment) -> list[Row]:
    """Table 10: one sentence for all classes, one drawn for each, or the mean of seven."""
    kinds = {
        "single": "single prompt",
        "random_single": "random single prompt",
        "ensemble": "ensemble of prompts",
    }
    return [
        _row(
            "table10",
            kind,
            published,
            base,
            {"prompts.kind": kind, "prompts.templates": ()},
            elsewhere=BALLAD if kind == "single" else None,
        )
        for kind, published in kinds.items()
    ]


def _phase_a_over_backbones(base: Experiment) -> list[Row]:
    """Figure 3: Phase A alone over the backbones."""
    return [
        Row(name, "phase_a", experiment.with_values({"schedule": "finetune"}), ())
        for name, experiment in _over_backbones(base)
    ]


def _schedules(base: Experiment) -> list[Row]:
    """Figure 4: what is trained, and whether together or in turn."""
    rows = {
        "zero-shot": ("zero_shot", "zero_shot", ZERO_SHOT),
        "zero-shot + adapter": ("zero_shot_adapter", "ballad", None),
        "fine-tuned": ("finetune", "phase_a", None),
        "joint + adapter": ("joint", "joint", None),
        "decoupled + adapter": ("decoupled", "ballad", BALLAD),
    }
    return [
        _row("figure4", setting, setting, base, {"schedule": schedule}, model, elsewhere=elsewhere)
        for setting, (schedule, model, elsewhere) in rows.items()
    ]


def _residual_factors(base: Experiment) -> list[Row]:
    """Figure 5: λ, from Phase A alone (0) to the adapter alone (1)."""
    return [
        _row(
            "figure5",
            f"λ = {factor}",
            f"lambda = {factor}",
            base,
            {"phase_b.residual_factor": factor},
            elsewhere=BALLAD if factor == 0.2 else None,
        )
        for factor in RESIDUAL_FACTORS
    ]


def _joint_and_decoupled(base: Experiment) -> list[Row]:
    """Figure 6: the two trainings whose embeddings of confusable few-shot classes are laid side by side."""
    return [
        Row("joint", "joint", base.with_values({"schedule": "joint"}), (Reference("joint + adapter", ("figure4",)),)),
        Row("decoupled", "ballad", base.with_values({"schedule": "decoupled"}), (BALLAD,)),
    ]


def _row(
    place: str,
    setting: str,
    published: str,
    base: Experiment,
    values: dict[str, Any],
    model: str = "ballad",
    *,
    elsewhere: Reference | None = None,
) -> Row:
    """A row of a decoupled training, unless ``values`` name another schedule.

    ``published`` is the paper's name of it; ``elsewhere`` other tables that give it, on more datasets and backbones.
    """
    references = (Reference(published, (place,)), *(() if elsewhere is None else (elsewhere,)))
    return Row(setting, model, base.with_values({"schedule": "decoupled", **values}), references)


def _over_backbones(base: Experiment) -> list[tuple[str, Experiment]]:
    """Short names and decoupled experiments: the paper's four backbones, or the base's own if it is not one of them."""
    base = base.with_values({"schedule": "decoupled"})
    own = base.backbone.name
    if own not in PAPER_BACKBONES:
        return [(backbone_title(own), base)]
    others = {"backbone.pretrained": None, "backbone.image_size": None}
    return [
        (name, base if name == own else base.with_values({**others, "backbone.name": name})) for name in PAPER_BACKBONES
    ]


_ALL: Sequence[Preset] = (
    Preset("table1", "BALLAD on ImageNet-LT", partial(_main_result, "table1")),
    Preset("table2", "BALLAD on Places-LT", partial(_main_result, "table2")),
    Preset("table3", "BALLAD on CIFAR100-LT", partial(_main_result, "table3")),
    Preset("table4", "pretrained and random towers", _pretrained_towers, "pretrained image, pretrained text"),
    Preset("table5", "which towers are fine-tuned", _tuned_towers, "both"),
    Preset("table6", "where the adapter sits", _adapter_placement, "image"),
    Preset("table7", "where to balance", _balanced_phases, "B"),
    Preset("table8", "how to balance", _balancing_methods, "class_balanced"),
    Preset("table9", "zero-shot against BALLAD", _zero_shot_against_ballad),
    Preset("table10", "prompts", _prompts, "single"),
    Preset("figure3", "Phase A over backbones", _phase_a_over_backbones),
    Preset("figure4", "joint and decoupled training", _schedules, "decoupled + adapter"),
    Preset("figure5", "the residual factor λ", _residual_factors, "λ = 0.2"),
    Preset("figure6", "joint and decoupled embeddings", _joint_and_decoupled, "decoupled"),
)
PRESETS = {preset.name: preset for preset in _ALL}
"""All tables and figures by name: ``table1`` … ``table10``, ``figure3`` … ``figure6``."""
