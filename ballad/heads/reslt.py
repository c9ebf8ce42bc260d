"""ResLT: three linear heads that are added, for all, for the rarer and for the rarest classes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from ballad.heads.head import Context, Head, HeadOptions, State, TrainingData
from ballad.heads.losses import cross_entropy
from ballad.heads.parts import for_members, linear_logits, uniform

if TYPE_CHECKING:
    from torch import Tensor

SHARES = (1.0, 0.825, 0.22)
"""The share of classes, counted from the rarest, that each head learns: 1,000, 825 and 220 on ImageNet-LT."""


class ResLTOptions(HeadOptions):
    """Default of the authors' code."""

    beta: float = Field(
        default=0.99,
        ge=0,
        le=1,
        title="Weight β",
        description="Weight of each head's own loss, relative to that of their sum; the authors use 0.99, and 0.995 "
        "on CIFAR.",
        json_schema_extra={"step": 0.005},
    )


class ResLT(Head):
    """Cui et al., Eq. 5-7: each head learns from the images of its own classes, and their sum from all."""

    name = "reslt"
    title = "ResLT"
    paper = "arXiv 2101.10633"
    formula = "(1 − β) · CE(z₁ + z₂ + z₃) + β · mean of CE(z_i) over the images of head i's classes"
    help = "A linear classifier plus two more that learn from only the rarer and the rarest classes."
    Options = ResLTOptions
    grid: ClassVar[Mapping[str, tuple[float, ...]]] = {"learning_rate": (0.02, 0.1, 0.5, 2.5)}
    head_only = True
    fixed = ("covers",)

    def start(self, context: Context, data: TrainingData) -> State:
        import torch

        classes, dim = context.texts.shape
        weight, bias = uniform(self.seeds, (3 * classes, dim), (1, 3 * classes), bound=dim**-0.5)
        rank = data.class_counts.argsort(stable=True).argsort()  # 0 is the rarest
        covers = torch.stack([rank < max(1, round(share * classes)) for share in SHARES])
        return {"weight": weight, "bias": bias, "covers": for_members(covers[None], self.members)}

    def parts(self, state: State, features: "Tensor") -> "Tensor":
        """Logits of the three heads, ``[M, B, 3, K]``."""
        return linear_logits(state["weight"], state["bias"], features).unflatten(2, (3, -1))

    def logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        return self.parts(state, features).sum(2)

    def loss(self, state: State, features: "Tensor", targets: "Tensor", context: Context, progress: float) -> "Tensor":
        parts = self.parts(state, features)
        log_p = parts.log_softmax(-1)
        expanded: Any = targets.expand(parts.shape[:2])
        of_true = log_p.gather(3, expanded[:, :, None, None].expand(-1, -1, 3, 1))[..., 0]  # [M, B, 3]
        covered = state["covers"][0].T[expanded].float()
        own = -(of_true * covered).sum((1, 2)) / covered.sum((1, 2))
        beta = self.of_members("beta", like=parts).flatten()
        return (1 - beta) * cross_entropy(parts.sum(2), targets) + beta * own

    def class_points(self, state: State, context: Context) -> "Tensor":
        return state["weight"].unflatten(1, (3, -1)).sum(1)
