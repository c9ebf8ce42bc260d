"""Nearest class mean: each image belongs to the class whose mean feature is closest."""

from typing import TYPE_CHECKING

from ballad.heads.head import Context, Head, State, TrainingData
from ballad.heads.parts import for_members

if TYPE_CHECKING:
    from torch import Tensor


class NearestClassMean(Head):
    """Features less their training mean, at unit length; the distance to class means is Euclidean.

    Wang et al., "SimpleShot" (arXiv 1911.04623), the form CL2N. Logits are negative squared distances. A class without
    training images is never the nearest.
    """

    name = "nearest_class_mean"
    title = "Nearest class mean"
    paper = "arXiv 1911.04623"
    formula = "z_k = − ‖f̂ − mean of f̂ in class k‖², f̂ = (f − mean) / ‖f − mean‖"
    help = "No training: predicts the class whose mean feature is closest."
    learns = False
    reads_training_features = True

    def start(self, context: Context, data: TrainingData) -> State:
        import torch
        from torch.nn.functional import normalize

        assert data.chunks is not None, "reads_training_features gives them"
        dim, counts = context.texts.shape[1], data.class_counts.to(context.texts.device)
        total = torch.zeros(dim, dtype=torch.double, device=context.texts.device)
        for features, _ in data.chunks():
            total += features.double().sum(0)
        mean = (total / counts.sum()).float()
        sums = torch.zeros(len(counts), dim, device=mean.device)
        for features, labels in data.chunks():
            sums.index_add_(0, labels, normalize(features - mean, dim=-1))
        means = sums / counts[:, None]  # 0/0 for a class without images: NaN, and below never the nearest
        return {
            "mean": for_members(mean[None, None], self.members),
            "class_mean": for_members(means[None], self.members),
        }

    def embed(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        from torch.nn.functional import normalize

        return normalize(features - state["mean"], dim=-1)

    def class_points(self, state: State, context: Context) -> "Tensor":
        return state["class_mean"].nan_to_num()

    def logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        import torch

        distances = torch.cdist(self.embed(state, features, context), state["class_mean"])
        return (-distances.square()).nan_to_num(nan=float("-inf"))
