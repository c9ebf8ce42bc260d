"""Random features of the size of ImageNet-LT, to time Phase B on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ballad.data.long_tail import long_tail_counts
from ballad.events import CancelToken, EventSink, ignore
from ballad.heads.head import Context
from ballad.sections import OptimizerSettings, PhaseBSettings
from ballad.stages.pipeline import find_device
from ballad.training.features import FeatureBank
from ballad.training.phase_b import Member, TrainedHead, cached_features, train_heads

CLASSES, DIM = 1000, 1024


def imagenet_lt_counts(images: int) -> np.ndarray:
    """How many of ``images`` images each of 1,000 classes has, int64 ``[K]``, in the proportions of ImageNet-LT."""
    shape = long_tail_counts(1280, CLASSES, 256, "pareto")
    ends = np.round(np.cumsum(shape) / shape.sum() * images).astype(np.int64)
    return np.diff(ends, prepend=0)


@dataclass(frozen=True)
class AdapterProblem:
    """Features float16 ``[N, d]`` with labels ``[N]`` and class embeddings ``[K, d]``."""

    features: np.ndarray
    labels: Tensor
    text: Tensor
    device: torch.device

    @classmethod
    def random(cls, class_counts: np.ndarray, dim: int = DIM) -> "AdapterProblem":
        generator = torch.Generator().manual_seed(0)
        labels = torch.from_numpy(np.repeat(np.arange(len(class_counts)), class_counts))
        features = torch.randn(len(labels), dim, generator=generator).half().numpy()
        text = F.normalize(torch.randn(len(class_counts), dim, generator=generator), dim=-1)
        return cls(features, labels, text, find_device("auto"))

    @property
    def dim(self) -> int:
        return self.features.shape[1]

    @property
    def classes(self) -> int:
        return len(self.text)

    @staticmethod
    def settings(**values: object) -> PhaseBSettings:
        """Phase B as the paper runs it (its batch, epochs and sampler), with some values changed."""
        return PhaseBSettings.model_validate(values)

    def train(self, members: Sequence[PhaseBSettings], on_event: EventSink = ignore) -> list[TrainedHead]:
        """Train one adapter for each of the settings, all together."""
        bank = FeatureBank.of_plain(self.features)
        trained = [Member(settings, seed=0) for settings in members]
        return train_heads(
            cached_features(bank, self.labels, trained, self.device),
            self.labels,
            Context(self.text.to(self.device), 100.0),
            trained,
            OptimizerSettings(),
            bank=bank,
            validation=None,
            device=self.device,
            on_event=on_event,
            cancel=CancelToken(),
        )

    def synchronize(self) -> None:
        """Wait for work that was only queued on the device."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
