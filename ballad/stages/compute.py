"""Computes the stages of one experiment; each method fills in, or finds, one kind of stage."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from ballad.analysis.evaluation import group_accuracies
from ballad.analysis.predictions import Predictions, predict
from ballad.data.long_tail import LongTailDataset, Split
from ballad.data.pixel_cache import decoded_once
from ballad.errors import BalladError, RunError
from ballad.events import CancelToken, EventSink, Notice
from ballad.experiment import Experiment
from ballad.heads.head import Context, member_state
from ballad.model.backbone import Backbone, load_backbone
from ballad.model.catalogue import download_weights, weights_to_download
from ballad.model.class_tokens import class_token_notes
from ballad.model.interpolation import interpolated
from ballad.schedules import ZERO_SHOT, Model
from ballad.sections import Augmentation
from ballad.stages.artifacts import ADAPTER, CLASS_TEXT, TOWERS, read_history, read_search, write_history, write_search
from ballad.stages.classifier import Classifier
from ballad.stages.plan import Plan, SplitName
from ballad.stages.stage_store import Stage, StageStore
from ballad.training.features import FeatureBank, augmented_view_counts, extract_features
from ballad.training.member_budget import members_that_fit
from ballad.training.phase_a import TowerTraining
from ballad.training.phase_b import (
    EpochOfFeatures,
    Member,
    TrainedHead,
    ValidationSet,
    cached_features,
    fresh_features,
    train_heads,
)
from ballad.training.schedule import derived_seed
from ballad.training.tuned_model import TunedModel, add_lift
from ballad.whole_files import write_whole

FEATURE_BATCH = 256


class StageComputer:
    """Obtains the stages of ``plan`` on ``device``; loads the backbone only when a stage has to be computed.

    ``pixels`` is the folder where small images are kept decoded.
    """

    def __init__(
        self,
        plan: Plan,
        dataset: LongTailDataset,
        stages: StageStore,
        *,
        pixels: Path,
        device: torch.device,
        on_event: EventSink,
        cancel: CancelToken,
    ) -> None:
        self.plan, self.dataset, self.stages, self.device = plan, dataset, stages, device
        self.experiment: Experiment = plan.experiment
        self.on_event, self.cancel = on_event, cancel
        self._pixels = pixels
        self._in_memory: tuple[str | None, Backbone] | None = None

    # Stages

    def towers(self) -> None:
        """Train the towers (and the adapter, in joint training), or find them trained; mix them as the settings say."""
        trained, stage = self._trained_towers(), self.plan.towers()
        if stage != self.plan.trained_towers():
            assert stage is not None, "the schedule trains towers"
            self._obtain(stage, partial(self._mix_towers, trained, stage))

    def _trained_towers(self) -> Path:
        stage = self.plan.trained_towers()
        assert stage is not None, "the schedule trains towers"
        trained_here = False

        def compute(folder: Path) -> None:
            nonlocal trained_here
            trained_here = True
            self._train_towers(stage, folder)

        folder = self._obtain(stage, compute)
        if not trained_here:
            self._replay(folder)
        return folder

    def class_text(self, model: Model) -> tuple[Tensor, float]:
        """Unit class embeddings ``[K, d]`` and the logit scale that ``model`` uses."""

        def compute(folder: Path) -> None:
            backbone = self._backbone(model)
            experiment = self.experiment
            if model == "zero_shot":
                for note in class_token_notes(self.dataset.class_names, backbone.tokenize, experiment.prompts):
                    self.on_event(Notice(note))
            with torch.inference_mode():
                text = backbone.encode_classes(self.dataset.class_names, experiment.prompts, experiment.seed)
                text = backbone.texts_in(self.plan.space(model), text)
            if not (finite := torch.isfinite(text).all(dim=1)).all():
                name = self.dataset.class_names[int(finite.int().argmin())]
                raise RunError(
                    f"The text features of class '{name}' are not finite. If the towers were trained, try a lower "
                    "phase_a.learning_rate; if not, choose another backbone."
                )
            scale = torch.tensor(backbone.logit_scale, dtype=torch.float64)
            save_file({"text": text.float().cpu(), "logit_scale": scale}, folder / CLASS_TEXT)

        tensors = load_file(self._obtain(self.plan.class_text(model), compute) / CLASS_TEXT)
        return tensors["text"], float(tensors["logit_scale"])

    def features(self, model: Model, split: SplitName) -> np.ndarray:
        """Features of the plain views of a split, float16 ``[N, d]``, memory-mapped."""
        images = np.arange(len(self._split(split)))

        def compute(folder: Path) -> None:
            self._extract(model, split, images, folder, augmentation="none")

        return np.load(self._obtain(self.plan.features(model, split), compute) / "features.npy", mmap_mode="r")

    def training_bank(self) -> FeatureBank:
        """The features that Phase B trains on."""
        plain = self.features(self.plan.phase_b_model, "train")
        stage = self.plan.views(self.plan.phase_b_model)
        if stage is None:
            return FeatureBank.of_plain(plain)
        settings = self.experiment.phase_b
        counts = augmented_view_counts(self.dataset.train.labels, settings.views)
        images = np.repeat(np.arange(len(counts)), counts)

        def compute(folder: Path) -> None:
            self._extract(self.plan.phase_b_model, "train", images, folder, augmentation=settings.augmentation)

        augmented = np.load(self._obtain(stage, compute) / "features.npy", mmap_mode="r")
        return FeatureBank(plain, augmented, np.concatenate([[0], np.cumsum(counts)]))

    def adapter(self, companions: Sequence[Experiment] = ()) -> None:
        """Train this experiment's head; ``companions`` that can share the training, and the memory, come along."""
        plans = {_adapter_of(plan).key: plan for plan in self._trained_together(companions)}
        stage, *others = [_adapter_of(plan) for plan in plans.values()]
        trained_here = False
        if not self.stages.present(stage):
            dim = self._obtain_training_inputs()
            # The others train when their turn comes, again as many together as fit.
            fit = members_that_fit(self.experiment.phase_b, dim, self.dataset.num_classes, self.device)
            fit //= len(self.experiment.phase_b.points)
            others = [other for other in others if not self.stages.present(other)][: max(0, fit - 1)]

        def compute(folders: dict[str, Path]) -> dict[str, BalladError]:
            nonlocal trained_here
            trained_here = True
            experiments = {key: plans[key].experiment for key in folders}
            trained = iter(self._train_heads(list(experiments.values())))
            failed: dict[str, BalladError] = {}
            for key, experiment in experiments.items():
                points = [next(trained) for _ in experiment.phase_b.points]
                if points[0].error is not None and all(head.error is not None for head in points):
                    failed[key] = points[0].error
                else:
                    _keep_best(folders[key], experiment, points)
            return failed

        folder = self.stages.obtain_together(
            stage, others, compute, device=str(self.device), on_event=self.on_event, cancel=self.cancel
        )
        if not trained_here:
            self._replay(folder)

    def search(self) -> dict[str, Any] | None:
        """What the search of Phase B tried and chose; None without one."""
        stage = self.plan.adapter(self.plan.models[-1])
        return None if stage is None else read_search(self.stages.folder(stage))

    def predictions(self, model: Model) -> dict[SplitName, Predictions]:
        """What ``model`` says about every image of validation and test."""

        def compute(folder: Path) -> None:
            classifier = self._classifier(model)
            for split in self.plan.evaluated_splits:
                features = torch.from_numpy(np.array(self.features(model, split)))
                predictions = predict(features, self._split(split).labels, classifier.logits, self.device)
                predictions.save(folder / f"{split}.parquet")

        # The stages that the predictions are made from come first, so that their events do not nest.
        if not self.stages.present(self.plan.evaluation(model)):
            self.class_text(model)
            for split in self.plan.evaluated_splits:
                self.features(model, split)
        folder = self._obtain(self.plan.evaluation(model), compute)
        return {split: Predictions.load(folder / f"{split}.parquet") for split in self.plan.evaluated_splits}

    def weight_files(self) -> dict[str, Path]:
        """Trained weights by name: adapter, towers."""
        files = {}
        if (towers := self.plan.towers()) is not None:
            files["towers"] = self.stages.folder(towers) / TOWERS
        if (source := self.plan.adapter_holder(self.plan.models[-1])) is not None:
            files["adapter"] = self.stages.folder(source) / ADAPTER
        return files

    # How each is computed

    def _train_towers(self, stage: Stage, folder: Path) -> None:
        backbone = self._untouched_backbone()
        joint = self.experiment.training.is_joint
        dataset = replace(self.dataset, train=self._images("train"))
        if dataset.val is not None:
            dataset = replace(dataset, val=self._images("val"))
        model = TunedModel(backbone, dataset, self.experiment, joint=joint, device=self.device)
        training = TowerTraining(
            model,
            dataset,
            self.experiment,
            folder=folder,
            score=self._score,
            on_event=self.on_event,
            cancel=self.cancel,
        )
        training.run()
        backbone.set_tuned(None)
        self._in_memory = (stage.key, backbone)
        write_whole(folder / TOWERS, partial(save_file, backbone.tower_state()))
        if model.head is not None:
            write_whole(folder / ADAPTER, partial(save_file, member_state(model.state, 0)))
        write_history(training.history, folder)
        for leftover in (training.checkpoint_path, training.best_path):
            leftover.unlink(missing_ok=True)

    def _mix_towers(self, trained: Path, stage: Stage, folder: Path) -> None:
        backbone = self._untouched_backbone()
        if self.experiment.phase_a.tuned == "lift":
            add_lift(backbone, self.experiment, self.dataset.num_classes)
        tuned = load_file(trained / TOWERS)
        backbone.load_tower_state(interpolated(backbone.tower_state(), tuned, self.experiment.interpolation))
        self._in_memory = (stage.key, backbone)
        write_whole(folder / TOWERS, partial(save_file, backbone.tower_state()))

    def _extract(
        self, model: Model, split: SplitName, images: np.ndarray, folder: Path, *, augmentation: Augmentation
    ) -> None:
        extract_features(
            self._backbone(model),
            self._images(split),
            images,
            folder,
            space=self.plan.space(model),
            augmentation=augmentation,
            seed=derived_seed(self.experiment.seed, "views"),
            batch_size=FEATURE_BATCH,
            device=self.device,
            workers=self.experiment.runtime.workers,
            on_event=self.on_event,
            cancel=self.cancel,
        )

    def _train_heads(self, experiments: Sequence[Experiment]) -> list[TrainedHead]:
        bank = self.training_bank() if self.plan.trains_on_features else None
        members = [
            Member(settings, experiment.adapter_seed)
            for experiment in experiments
            for settings in experiment.phase_b.points
        ]
        labels = torch.from_numpy(self.dataset.train.labels)
        validation = None
        if self.plan.has_validation:
            validation = ValidationSet(self.features(self.plan.phase_b_model, "val"), self._score)
        return train_heads(
            self._phase_b_features(members, labels, bank),
            labels,
            self._context(self.plan.phase_b_model),
            members,
            self.experiment.optimizer,
            bank=bank,
            validation=validation,
            device=self.device,
            on_event=self.on_event,
            cancel=self.cancel,
        )

    def _phase_b_features(self, members: Sequence[Member], labels: Tensor, bank: FeatureBank | None) -> EpochOfFeatures:
        if bank is not None:
            return cached_features(bank, labels, members, self.device)
        return fresh_features(
            self._backbone(self.plan.phase_b_model),
            self._images("train"),
            members[0].settings,
            members[0].seed,
            self.device,
            self.experiment.runtime.workers,
        )

    def _trained_together(self, companions: Sequence[Experiment]) -> list[Plan]:
        """This plan, then those of companions whose heads learn from the same features in the same steps."""
        plans = [self.plan]
        for experiment in companions:
            plan = replace(self.plan, experiment=experiment)
            if experiment.training.has_phase_b and plan.shared_training() == self.plan.shared_training():
                plans.append(plan)
        return plans if self.plan.trains_on_features else [self.plan]

    def _obtain_training_inputs(self) -> int:
        """Make ready what Phase B reads; returns d, the size of a feature."""
        text, _ = self.class_text(self.plan.phase_b_model)
        if self.plan.has_validation:
            self.features(self.plan.phase_b_model, "val")
        elif self.experiment.phase_b.search == "grid":
            raise RunError(
                "A search chooses on the validation split, which this dataset lacks; "
                "set dataset.validation_per_class to set images aside, or phase_b.search=none."
            )
        if self.plan.trains_on_features:
            self.training_bank()
        return text.shape[1]

    def _context(self, model: Model) -> Context:
        text, scale = self.class_text(model)
        return Context(F.normalize(text.to(self.device), dim=-1), scale)

    def _classifier(self, model: Model) -> Classifier:
        holder = self.plan.adapter_holder(model)
        if holder is None:
            return Classifier(self._context(model))
        return Classifier.with_head(self._context(model), self.stages.folder(holder) / ADAPTER, self.experiment)

    # What stages need in memory

    def _backbone(self, model: Model) -> Backbone:
        """The backbone with the towers of ``model``."""
        stage = None if model == ZERO_SHOT else self.plan.towers()
        key = None if stage is None else stage.key
        if self._in_memory is None or self._in_memory[0] != key:
            backbone = self._untouched_backbone()
            if stage is not None:
                backbone.load_tower_state(load_file(self.stages.folder(stage) / TOWERS))
            self._in_memory = (key, backbone)
        return self._in_memory[1]

    def _untouched_backbone(self) -> Backbone:
        if self._in_memory is not None and self._in_memory[0] is None:
            return self._in_memory[1]
        settings = self.experiment.backbone
        if (lacking := weights_to_download(settings)) is not None:
            self.on_event(
                Notice(f"Downloading the weights of {settings.name} from huggingface.co/{lacking.repository}.")
            )
            download_weights(settings, lambda done, total: self.cancel.check())
        return load_backbone(settings, seed=self.experiment.seed).to(self.device)

    def _split(self, name: SplitName) -> Split:
        split = getattr(self.dataset, name)
        assert split is not None, f"the dataset has a split {name}"
        return split

    def _images(self, name: SplitName) -> Split:
        """A split to read images of, decoded once where that pays."""
        return decoded_once(self._split(name), self._pixels, on_event=self.on_event, cancel=self.cancel)

    def _score(self, predicted: np.ndarray) -> dict[str, float | None]:
        return group_accuracies(self._split("val").labels, predicted, self.dataset.shot_group_of_class)

    def _obtain(self, stage: Stage, compute: Callable[[Path], None]) -> Path:
        return self.stages.obtain(stage, compute, device=str(self.device), on_event=self.on_event, cancel=self.cancel)

    def _replay(self, folder: Path) -> None:
        """Tell of the epochs that another run trained, so that every run has its curves."""
        for event in read_history(folder):
            self.on_event(event)


def _keep_best(folder: Path, experiment: Experiment, trained: Sequence[TrainedHead]) -> None:
    """Keep a head; of the points of a search the first that is best on validation, and what was tried.

    A point that diverged has no accuracy.
    """
    chosen = 0
    if experiment.phase_b.search == "grid":
        accuracies = [None if head.error is not None else head.accuracy for head in trained]
        chosen = int(np.argmax([-1.0 if accuracy is None else accuracy["all"] or 0.0 for accuracy in accuracies]))
        tried = [settings.values_of(settings.head.grid) for settings in experiment.phase_b.points]
        points = [{"values": values, "accuracy": at} for values, at in zip(tried, accuracies, strict=True)]
        write_search(points, chosen, folder)
    save_file(trained[chosen].state, folder / ADAPTER)
    write_history(trained[chosen].history, folder)


def _adapter_of(plan: Plan) -> Stage:
    stage = plan.adapter(plan.phase_b_model)
    assert stage is not None, "the schedule has a Phase B"
    return stage
