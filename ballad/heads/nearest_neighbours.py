"""k nearest neighbours: the classes of the most similar training images vote."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ballad.heads.head import Context, Head, HeadOptions, State, TrainingData
from ballad.heads.parts import for_members

if TYPE_CHECKING:
    from torch import Tensor

SMALLEST_SHARE = 1e-6


class NearestNeighboursOptions(HeadOptions):
    """The number of votes."""

    k: int = Field(default=10, ge=1, title="Neighbours k", description="Training images that vote.")


class NearestNeighbours(Head):
    """Cosine similarity, one vote each; between classes with equal votes the more similar neighbours decide.

    Keeps all training features, in half precision. Logits are logarithms of the shares of votes.
    """

    name = "nearest_neighbours"
    title = "k nearest neighbours"
    formula = "z_k = log(share of class k among the k most similar training images)"
    help = "No training: the classes of the most similar training images vote, each image once."
    Options = NearestNeighboursOptions
    grid: ClassVar[Mapping[str, tuple[float, ...]]] = {"k": (1, 5, 10, 20)}
    learns = False
    reads_training_features = True

    def start(self, context: Context, data: TrainingData) -> State:
        import torch
        from torch.nn.functional import normalize

        assert data.chunks is not None, "reads_training_features gives them"
        chunks = [(normalize(features, dim=-1).half(), labels) for features, labels in data.chunks()]
        directions, labels = (torch.cat(part) for part in zip(*chunks, strict=True))
        return {
            "directions": for_members(directions[None], self.members),
            "labels": for_members(labels[None], self.members),
        }

    def logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        import torch
        from torch.nn.functional import normalize

        directions = normalize(features, dim=-1).expand(self.members, *features.shape[-2:])
        found = []
        for m, options in enumerate(self.options):
            similarities = directions[m] @ state["directions"][m].float().T
            nearest = similarities.topk(min(options.k, similarities.shape[1]), dim=1)
            votes = torch.zeros(len(similarities), len(context.texts), device=similarities.device)
            classes = state["labels"][m][nearest.indices]
            votes.scatter_add_(1, classes, torch.ones_like(nearest.values))
            closeness = torch.zeros_like(votes).scatter_add_(1, classes, nearest.values + 1)
            found.append((votes / votes.sum(1, keepdim=True) + SMALLEST_SHARE * (1 + closeness)).log())
        return torch.stack(found)
