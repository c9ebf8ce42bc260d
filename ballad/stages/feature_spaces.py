"""The feature space of one model of a finished run: its images and its class texts as it compares them."""

from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from ballad.heads.head import Context
from ballad.schedules import Model
from ballad.stages.artifacts import ADAPTER, CLASS_TEXT
from ballad.stages.classifier import Classifier
from ballad.stages.plan import Plan, SplitName
from ballad.stages.stage_store import StageStore


class FeatureSpace:
    """Reads a run's stages and needs no image; RunError where a stage was removed."""

    def __init__(self, plan: Plan, model: Model, stages: StageStore, device: torch.device | str = "cpu") -> None:
        self.plan, self.model, self.stages, self.device = plan, model, stages, device

    @cached_property
    def classifier(self) -> Classifier:
        """What the model makes of image features."""
        stored = load_file(self.stages.kept(self.plan.class_text(self.model)) / CLASS_TEXT)
        context = Context(F.normalize(stored["text"].to(self.device), dim=-1), float(stored["logit_scale"]))
        holder = self.plan.adapter_holder(self.model)
        if holder is None:
            return Classifier(context)
        return Classifier.with_head(context, self.stages.kept(holder) / ADAPTER, self.plan.experiment)

    def has_images(self, split: SplitName) -> bool:
        """Whether the features of this split were kept; those of training pictures are only where Phase B read them."""
        return self.stages.present(self.plan.features(self.model, split))

    def image_features(self, split: SplitName, samples: np.ndarray | None = None) -> np.ndarray:
        """Image features as the model compares them, float32 [N, d], of a split or of its ``samples`` [N]."""
        stored = np.load(self.stages.kept(self.plan.features(self.model, split)) / "features.npy", mmap_mode="r")
        chosen = stored if samples is None else stored[samples]
        images = torch.from_numpy(np.array(chosen, np.float32)).to(self.device)
        return self.classifier.embed(images).cpu().numpy()

    def class_texts(self) -> np.ndarray:
        """What the model compares image features with, float32 [K, d]: class texts, or what its head takes for them."""
        return self.classifier.class_points().cpu().numpy()
