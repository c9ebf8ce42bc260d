"""OLTR: features enriched by a memory of the classes, trusted less the farther they are from it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ballad.heads.head import Context, Head, HeadOptions, State, TrainingData
from ballad.heads.parts import cosine_logits, for_members, uniform

if TYPE_CHECKING:
    from torch import Tensor


class OLTROptions(HeadOptions):
    """Defaults of the authors' code."""

    scale: float = Field(
        default=16.0, gt=0, title="Scale s", description="Multiplies the cosines.", json_schema_extra={"step": 1.0}
    )
    reach: float = Field(
        default=10.0, gt=0, title="Reach", description="Divided by the distance to the nearest class mean."
    )


class OLTR(Head):
    """Liu et al., Eq. 1-4: direct feature plus concept selector ∘ memory feature, scaled by reachability."""

    name = "oltr"
    title = "OLTR"
    paper = "arXiv 1904.05160"
    formula = "z = s · squash(r / d(f) · (f + tanh(W_s f) ∘ softmax(W_h f) M)) · ŵ, squash(v) = v / (1 + ‖v‖)"
    help = "Each feature is enriched by a memory of class means; features far from all means are trusted less."
    Options = OLTROptions
    grid: ClassVar[Mapping[str, tuple[float, ...]]] = {"learning_rate": (0.02, 0.1, 0.5, 2.5)}
    head_only = True
    reads_training_features = True
    fixed = ("nearest_to",)

    def start(self, context: Context, data: TrainingData) -> State:
        import torch

        assert data.chunks is not None, "reads_training_features gives them"
        classes, dim = context.texts.shape
        means = torch.zeros(classes, dim, device=context.texts.device)
        for features, labels in data.chunks():
            means.index_add_(0, labels, features)
        means /= data.class_counts.clamp(min=1).to(means.device)[:, None]
        weight, selector, hallucinator = uniform(
            self.seeds, (classes, dim), (dim, dim), (dim, classes), bound=dim**-0.5
        )
        return {
            "weight": weight,
            "selector": selector,
            "hallucinator": hallucinator,
            "memory": for_members(means[None], self.members),
            "nearest_to": for_members(means[None], self.members),
        }

    def embed(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        import torch

        stacked = features.expand(self.members, *features.shape[-2:])
        remembered = (stacked @ state["hallucinator"]).softmax(-1) @ state["memory"]
        distance = torch.cdist(stacked, state["nearest_to"]).min(-1, keepdim=True).values.clamp_min(1e-6)
        reachability = self.of_members("reach", like=features) / distance
        return reachability * (stacked + (stacked @ state["selector"]).tanh() * remembered)

    def logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        embedded = self.embed(state, features, context)
        lengths = embedded.norm(dim=-1, keepdim=True)
        trust = lengths / (1 + lengths)
        return self.of_members("scale", like=features) * trust * cosine_logits(state["weight"], embedded, 1.0)

    def class_points(self, state: State, context: Context) -> "Tensor":
        return state["weight"]
