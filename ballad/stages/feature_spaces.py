"""The feature space of one model of a finished run: its images and its class texts as it compares them."""

from functools import cached_property

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from ballad.model.adapter import Adapters
from ballad.schedules import Model
from ballad.stages.artifacts import ADAPTER, CLASS_TEXT, adapted, load_adapter
from ballad.stages.plan import Plan, SplitName
from ballad.stages.stage_store import StageStore


class FeatureSpace:
    """Reads a run's stages and needs no image; RunError where a stage was removed."""

    def __init__(self, plan: Plan, model: Model, stages: StageStore, device: torch.device | str = "cpu") -> None:
        self.plan, self.model, self.stages, self.device = plan, model, stages, device

    @cached_property
    def text(self) -> Tensor:
        """Class embeddings [K, d] before any adapter, unit norm."""
        return self._class_text["text"].to(self.device)

    @property
    def logit_scale(self) -> float:
        return float(self._class_text["logit_scale"])

    @cached_property
    def adapter(self) -> Adapters | None:
        """The model's adapter, if it has one."""
        holder = self.plan.adapter_holder(self.model)
        if holder is None:
            return None
        return load_adapter(self.stages.kept(holder) / ADAPTER, self.plan.experiment).to(self.device)

    def has_images(self, split: SplitName) -> bool:
        """Whether the features of this split were kept; those of training pictures are only where Phase B read them."""
        return self.stages.present(self.plan.features(self.model, split))

    def image_features(self, split: SplitName, samples: np.ndarray | None = None) -> np.ndarray:
        """Image features after the adapter, float32 [N, d], of all of a split's images or of ``samples`` [N]."""
        stored = np.load(self.stages.kept(self.plan.features(self.model, split)) / "features.npy", mmap_mode="r")
        chosen = stored if samples is None else stored[samples]
        images = torch.from_numpy(np.array(chosen, np.float32)).to(self.device)
        return adapted(self.adapter, images, self.text)[0].cpu().numpy()

    def compared(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features [N, d] of new pictures and the class texts [K, d], both after the adapter, not normalised."""
        return adapted(self.adapter, features, self.text)

    def class_texts(self) -> np.ndarray:
        """Class texts after the adapter, float32 [K, d]."""
        return adapted(self.adapter, self.text, self.text)[1].cpu().numpy()

    @cached_property
    def _class_text(self) -> dict[str, Tensor]:
        return load_file(self.stages.kept(self.plan.class_text(self.model)) / CLASS_TEXT)
