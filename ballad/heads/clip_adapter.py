"""CLIP-Adapter: a residual bottleneck on image features, with the class texts as classifier."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ballad.heads.head import Context, Head, HeadOptions, State, TrainingData
from ballad.heads.parts import uniform

if TYPE_CHECKING:
    from torch import Tensor


class CLIPAdapterOptions(HeadOptions):
    """Defaults of the authors' code."""

    ratio: float = Field(
        default=0.2,
        ge=0,
        le=1,
        title="Residual ratio",
        description="How much of the adapted features is mixed in; 0 is the untouched model.",
        json_schema_extra={"step": 0.1},
    )
    reduction: int = Field(
        default=4, ge=1, title="Reduction", description="The width of the bottleneck is d divided by this number."
    )


class CLIPAdapter(Head):
    """Gao et al., Eq. 4-5, the image side: two linear layers without bias, a ReLU after each."""

    name = "clip_adapter"
    title = "CLIP-Adapter"
    paper = "arXiv 2110.04544"
    formula = "z = s · ⟨f*, u⟩ with f* = α · ReLU(W₂ ReLU(W₁ f)) + (1 − α) · f"
    help = "Like BALLAD's adapter, with a bottleneck of two layers instead of one linear map."
    Options = CLIPAdapterOptions
    alike = ("reduction",)
    grid: ClassVar[Mapping[str, tuple[float, ...]]] = {"ratio": (0.2, 0.4, 0.6, 0.8)}

    def start(self, context: Context, data: TrainingData) -> State:
        dim = context.texts.shape[1]
        width = max(1, dim // self.options[0].reduction)
        (down,) = uniform(self.seeds, (dim, width), bound=dim**-0.5)
        (up,) = uniform([seed ^ 1 for seed in self.seeds], (width, dim), bound=width**-0.5)
        return {"down": down, "up": up}

    def embed(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        import torch

        stacked = features.expand(self.members, *features.shape[-2:])
        hidden = ((stacked @ state["down"]).relu() @ state["up"]).relu()
        return torch.lerp(stacked, hidden, self.of_members("ratio", like=features))

    def logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        from ballad.similarity import similarity_logits

        return similarity_logits(self.embed(state, features, context), context.texts, context.logit_scale)
