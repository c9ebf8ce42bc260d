"""Which stages an experiment consists of, and the address of each; known without loading torch or an image.

towers ─► features (per split) ─┬─► adapter ─► evaluation
     └──► class_text ──────────────┘

Between the towers and what follows lie mixed_towers where the untouched ones count as well.
"""

import json
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from ballad.experiment import Experiment
from ballad.schedules import JOINT, PHASES, ZERO_SHOT, Model
from ballad.spaces import Space
from ballad.stages.stage_store import Stage

SplitName = Literal["train", "val", "test"]
ALIKE_IN_ONE_TRAINING = ("method", "epochs", "batch_size", "drop_last")


@dataclass(frozen=True)
class Plan:
    """The addresses of an experiment's stages.

    dataset, backbone : fingerprints. has_validation : whether there is a validation split.
    """

    experiment: Experiment
    dataset: str
    backbone: str
    has_validation: bool

    @classmethod
    def read(cls, path: Path) -> "Plan":
        """A plan that was kept as :meth:`to_json`. Raises FileNotFoundError."""
        values = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**values, "experiment": Experiment.parse(values["experiment"])})

    def to_json(self) -> str:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return json.dumps({**values, "experiment": self.experiment.model_dump(mode="json")}, indent=2)

    @property
    def models(self) -> list[Model]:
        """What is evaluated."""
        return self.experiment.models

    @property
    def phase_b_model(self) -> Model:
        """What Phase B yields, where the schedule has one: a model with the name of its method."""
        return self.experiment.phase_b.method

    @property
    def evaluated_splits(self) -> list[SplitName]:
        return ["val", "test"] if self.has_validation else ["test"]

    @property
    def trains_on_features(self) -> bool:
        """Whether Phase B reads cached features of the training split."""
        return self.experiment.training.has_phase_b and self.experiment.phase_b.features == "cached"

    def towers(self) -> Stage | None:
        """The towers that Phase A or joint training hands on; None where they stay untouched."""
        trained, share = self.trained_towers(), self.experiment.interpolation
        if trained is None or share == 1:
            return trained
        return Stage("mixed_towers", {"towers": trained.key, "interpolation": share})

    def trained_towers(self) -> Stage | None:
        """The training of the towers."""
        experiment = self.experiment
        if not experiment.training.trains_towers:
            return None
        inputs = {
            **self._untouched_towers(),
            "phase_a": experiment.phase_a.training_values(),
            "optimizer": experiment.optimizer.model_dump(mode="json"),
            "seed": experiment.seed,
        }
        if experiment.training.is_joint:
            inputs["adapter"] = {
                **experiment.head_settings.method_values(),
                "learning_rate": experiment.phase_b.learning_rate,
                "seed": experiment.adapter_seed,
            }
        return Stage("towers", inputs)

    def class_text(self, model: Model) -> Stage:
        """The class embeddings that ``model`` compares images with."""
        tuned = self._tuned_towers(model)
        towers = self._untouched_towers() if tuned is None else {"towers": tuned.key}
        return Stage("class_text", {**towers, **self._space(model)})

    def features(self, model: Model, split: SplitName) -> Stage:
        """The plain views of a split through the towers of ``model``."""
        return Stage("features", {**self._image_tower(model), "split": split})

    def views(self, model: Model) -> Stage | None:
        """The augmented views of the training split; None where Phase B reads one view per image."""
        phase_b = self.experiment.phase_b
        if not self.trains_on_features or phase_b.views == 1:
            return None
        form = {"views": phase_b.views, "augmentation": phase_b.augmentation, "seed": self.experiment.seed}
        return Stage("views", {**self._image_tower(model), **form})

    def adapter(self, model: Model) -> Stage | None:
        """Phase B, whose result is ``model``; None for models of other phases."""
        if model != self.phase_b_model:
            return None
        settings = self.experiment.phase_b
        phase_b = {**settings.training_values(), **settings.method_values()}
        phase_b.pop("features")
        if settings.features == "cached" and settings.views == 1:
            phase_b.pop("augmentation")
        inputs = {**self._adapter_sources(), "phase_b": phase_b, "seed": self.experiment.adapter_seed}
        return Stage("adapter", inputs)

    def space(self, model: Model) -> Space:
        """Where the image features are taken that ``model`` reads."""
        has_head = model in (JOINT.name, self.phase_b_model)
        return self.experiment.phase_b.head.reads if has_head else "joint"

    def adapter_holder(self, model: Model) -> Stage | None:
        """The stage that holds the head of ``model``, if it has one: joint training keeps it beside the towers."""
        return self.towers() if model == JOINT.name else self.adapter(model)

    def shared_training(self) -> dict[str, Any]:
        """What heads must have in common to be trained together in batched matrices."""
        phase_b = self.experiment.phase_b
        alike = {name: getattr(phase_b, name) for name in ALIKE_IN_ONE_TRAINING}
        options = {name: getattr(phase_b.head_options, name) for name in phase_b.head.alike}
        return {**self._adapter_sources(), **alike, "options": options}

    def _adapter_sources(self) -> dict[str, Any]:
        model, learns = self.phase_b_model, self.experiment.phase_b.head.learns
        if self.trains_on_features:
            views = self.views(model)
            source: Any = [self.features(model, "train").key, views.key if views else None]
        else:
            source = self._image_tower(model)
        return {
            "features": source,
            "validation": self.features(model, "val").key if self.has_validation else None,
            "class_text": self.class_text(model).key,
            "optimizer": self.experiment.optimizer.model_dump(mode="json") if learns else None,
        }

    def evaluation(self, model: Model) -> Stage:
        """The predictions of ``model`` on validation and test."""
        adapter = self.adapter_holder(model)
        inputs = {
            "features": [self.features(model, split).key for split in self.evaluated_splits],
            "class_text": self.class_text(model).key,
            "adapter": adapter.key if adapter else None,
            "dataset": self.dataset,
        }
        return Stage("evaluation", inputs)

    def stages(self) -> list[Stage]:
        """Every stage of the experiment, in the order of computing, each once."""
        return list(self._stages)

    @cached_property
    def _stages(self) -> tuple[Stage, ...]:
        stages: list[Stage | None] = []
        for model in self.models:
            if model in PHASES:
                stages += [self.trained_towers(), self.towers()]
            stages.append(self.class_text(model))
            if model == self.phase_b_model and self.trains_on_features:
                stages += [self.features(model, "train"), self.views(model)]
            stages += [self.features(model, split) for split in self.evaluated_splits]
            stages += [self.adapter(model), self.evaluation(model)]
        return tuple({stage.key: stage for stage in stages if stage is not None}.values())

    def _tuned_towers(self, model: Model) -> Stage | None:
        return None if model == ZERO_SHOT else self.towers()

    def _untouched_towers(self) -> dict[str, Any]:
        experiment = self.experiment
        settings = experiment.backbone.model_dump(mode="json", include={"image_tower", "text_tower", "image_size"})
        prompts = experiment.prompts.model_dump(mode="json")
        inputs = {
            "dataset": self.dataset,
            "backbone": self.backbone,
            **settings,
            "temperature": experiment.backbone.temperature,
            "prompts": prompts,
        }
        if "random" in (experiment.backbone.image_tower, experiment.backbone.text_tower) or (
            experiment.prompts.kind == "random_single"
        ):
            inputs["seed"] = experiment.seed
        return inputs

    def _image_tower(self, model: Model) -> dict[str, Any]:
        """What image features depend on: prompts, temperature or text tower only where these shaped a training."""
        towers, space = self._tuned_towers(model), self._space(model)
        if towers is not None and self.experiment.phase_a.tuned != "text":
            return {"towers": towers.key, "dataset": self.dataset, **space}
        backbone = self.experiment.backbone
        inputs = {
            "dataset": self.dataset,
            "backbone": self.backbone,
            "image_tower": backbone.image_tower,
            "image_size": backbone.image_size,
            **space,
        }
        return {**inputs, "seed": self.experiment.seed} if backbone.image_tower == "random" else inputs

    def _space(self, model: Model) -> dict[str, Any]:
        """As keys hold it: the joint space goes without saying."""
        space = self.space(model)
        return {} if space == "joint" else {"space": space}
