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
    from collections.abc import Callable

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
        """One row per image: label, class_1 … class_T, probability_1 … probability_T."""
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
        """Read what :meth:`save` wrote; Raises RunError for a file that is missing or holds no predictions."""
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
    image_features: "torch.Tensor",
    labels: np.ndarray,
    logits_of: "Callable[[torch.Tensor], torch.Tensor]",
    device: "torch.device | str" = "cpu",
) -> Predictions:
    """What ``logits_of`` (features float32 [B, d] on ``device`` to [B, K]) says about every image.

    image_features: [N, d], of any float type and on any device; labels: [N]. A logit bias is the same for all classes,
    so the softmax does not see it. Raises RunError where logits are not finite.
    """
    import torch

    classes, probabilities = [], []
    with torch.inference_mode():
        for batch in image_features.split(BATCH):
            of_batch = ranked(logits_of(batch.to(device).float()), TOP)
            probabilities.append(of_batch[0].cpu())
            classes.append(of_batch[1].cpu())
    top = torch.cat(probabilities).numpy()
    if not (finite := np.isfinite(top).all(axis=1)).all():
        raise RunError(
            f"The logits of image {int(np.argmin(finite))} are not finite: choose a higher backbone.temperature, "
            "or lower learning rates if the model was trained."
        )
    return Predictions(np.asarray(labels, np.int64), torch.cat(classes).numpy(), top)


def ranked(logits: "torch.Tensor", top: int) -> "tuple[torch.Tensor, torch.Tensor]":
    """Probabilities and ids of the ``top`` most probable classes, best first: logits [B, K] to two of [B, top].

    Ranked by logits: a small temperature can make probabilities 0, a large one can make them equal.
    """
    classes = logits.topk(min(top, logits.shape[1]), dim=1).indices
    return logits.softmax(dim=1).gather(1, classes), classes
