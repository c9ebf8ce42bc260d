"""What a model said about every image of a split, and how it is kept on disk."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from ballad.errors import RunError
from ballad.whole_files import write_whole

if TYPE_CHECKING:
    import torch

TOP = 5
"""Classes kept for each image."""

BATCH = 4096
"""Images scored at a time: 16 MB of float32 logits at 1,000 classes."""


@dataclass(frozen=True)
class Predictions:
    """The most probable classes of each image, best first.

    labels: int64 [N]; top_classes: int64 [N, T]; top_probabilities: float32 [N, T], T = min(5, classes).
    Row i is sample i of the split.
    """

    labels: np.ndarray
    top_classes: np.ndarray
    top_probabilities: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def predicted(self) -> np.ndarray:
        """The top-1 class of each image, int64 [N]."""
        return self.top_classes[:, 0]

    @property
    def correct(self) -> np.ndarray:
        """Whether the top-1 class is the true one, bool [N]."""
        return self.predicted == self.labels

    def to_frame(self) -> pd.DataFrame:
        """One row an image: label, class_1 … class_T, probability_1 … probability_T."""
        columns = {"label": self.labels}
        for rank in range(self.top_classes.shape[1]):
            columns[f"class_{rank + 1}"] = self.top_classes[:, rank]
        for rank in range(self.top_classes.shape[1]):
            columns[f"probability_{rank + 1}"] = self.top_probabilities[:, rank]
        return pd.DataFrame(columns)

    def save(self, path: Path) -> None:
        """Write Parquet; the file appears under its name only when whole."""
        write_whole(path, partial(self.to_frame().to_parquet, index=False))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote; RunError names a file that is missing or no such table."""
        try:
            frame = pd.read_parquet(path)
            ranks = [name.removeprefix("class_") for name in frame.columns if name.startswith("class_")]
            return cls(
                labels=frame["label"].to_numpy(np.int64),
                top_classes=frame[[f"class_{rank}" for rank in ranks]].to_numpy(np.int64),
                top_probabilities=frame[[f"probability_{rank}" for rank in ranks]].to_numpy(np.float32),
            )
        except (OSError, KeyError, ValueError) as error:
            raise RunError(f"{path} holds no predictions; run the experiment again to write them.") from error


def predict(
    image_features: "torch.Tensor", text_features: "torch.Tensor", labels: np.ndarray, logit_scale: float
) -> Predictions:
    """Score every image against every class text: z_k = s · <f/‖f‖, u_k/‖u_k‖> (Eq. 1), probabilities by softmax.

    image_features: [N, d] and text_features: [K, d], of any float type and on any device, normalised here;
    labels: [N]; logit_scale: s = 1/τ. A logit bias is the same for all classes, so the softmax does not see it.
    """
    import torch
    from torch.nn.functional import normalize

    classes = normalize(text_features.detach().float(), dim=1)  # [K, d]
    top = min(TOP, len(classes))
    top_classes = np.empty((len(image_features), top), np.int64)
    top_probabilities = np.empty((len(image_features), top), np.float32)
    with torch.inference_mode():
        for start in range(0, len(image_features), BATCH):
            images = normalize(image_features[start : start + BATCH].to(classes.device).float(), dim=1)
            probabilities, indices = (logit_scale * images @ classes.T).softmax(dim=1).topk(top, dim=1)
            top_classes[start : start + BATCH] = indices.cpu().numpy()
            top_probabilities[start : start + BATCH] = probabilities.cpu().numpy()
    return Predictions(np.asarray(labels, np.int64), top_classes, top_probabilities)
