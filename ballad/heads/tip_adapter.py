"""Tip-Adapter: the zero-shot answer, and a cache of a few training images per class that votes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ballad.heads.head import Context, Head, HeadOptions, State, TrainingData

if TYPE_CHECKING:
    from torch import Tensor


class TipAdapterOptions(HeadOptions):
    """Defaults of the authors' code for ImageNet."""

    alpha: float = Field(
        default=1.17,
        ge=0,
        title="Weight α",
        description="How much the cached images count relative to the class texts; 0 is zero-shot.",
        json_schema_extra={"step": 0.1},
    )
    beta: float = Field(
        default=1.0,
        gt=0,
        title="Sharpness β",
        description="How quickly a cached image's weight falls as it becomes less similar.",
        json_schema_extra={"step": 0.5},
    )
    shots: int = Field(
        default=16, ge=1, title="Images per class", description="The most training images cached per class."
    )


class TipAdapter(Head):
    """Zhang et al., Eq. 5. A cached image is the mean direction of its stored views; the authors take ten of each."""

    name = "tip_adapter"
    title = "Tip-Adapter"
    paper = "arXiv 2111.03930"
    formula = "z = s · ⟨f, u⟩ + α · exp(− β (1 − f Fᵀ)) · Y"
    help = "No training: up to 16 training images per class vote alongside the class texts."
    Options = TipAdapterOptions
    alike = ("shots",)
    grid: ClassVar[Mapping[str, tuple[float, ...]]] = {"alpha": (1.17, 5.0), "beta": (1.0, 5.5)}
    learns = False
    reads_training_features = True
    averages_views = True
    fixed = ("key_class",)

    def start(self, context: Context, data: TrainingData) -> State:
        import torch
        from torch.nn.functional import normalize

        assert data.chunks is not None, "reads_training_features gives them"
        labels = torch.cat([labels.cpu() for _, labels in data.chunks()])
        chosen = [_few_per_class(labels, self.options[0].shots, seed) for seed in self.seeds]
        keys = torch.empty(len(chosen), len(chosen[0]), context.texts.shape[1])
        first = 0
        for features, _ in data.chunks():
            for m, images in enumerate(chosen):
                here = (images >= first) & (images < first + len(features))
                keys[m, here] = normalize(features, dim=-1).cpu()[images[here] - first]
            first += len(features)
        return {"key": keys, "key_class": torch.stack([labels[images] for images in chosen])}

    def logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        from torch.nn.functional import normalize, one_hot

        directions = normalize(features, dim=-1).expand(self.members, *features.shape[-2:])
        similarities = directions @ state["key"].mT
        votes = ((similarities - 1) * self.of_members("beta", like=features)).exp()
        of_classes = votes @ one_hot(state["key_class"], len(context.texts)).float()
        texts = context.logit_scale * directions @ context.texts.T
        return texts + self.of_members("alpha", like=features) * of_classes


def _few_per_class(labels: "Tensor", shots: int, seed: int) -> "Tensor":
    """Ascending indices of at most ``shots`` images of each class, drawn by ``seed``: as many for every seed."""
    import torch

    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    by_class = shuffled[torch.argsort(labels[shuffled], stable=True)]
    counts = torch.bincount(labels)
    place_in_class = torch.arange(len(labels)) - (counts.cumsum(0) - counts)[labels[by_class]]
    return by_class[place_in_class < shots].sort().values
