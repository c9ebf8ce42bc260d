"""Balanced Softmax, and with other τ the logit-adjusted loss."""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ballad.heads.head import Context, HeadOptions, State, TrainingData
from ballad.heads.linear_probe import LinearProbe
from ballad.heads.parts import for_members, log_priors

if TYPE_CHECKING:
    from torch import Tensor


class AdjustmentOptions(HeadOptions):
    """How strongly the priors count."""

    tau: float = Field(
        default=1.0,
        ge=0,
        le=3,
        title="Adjustment τ",
        description="τ · log π is added to the logits while training; 0 is plain cross-entropy, 1 Balanced Softmax.",
        json_schema_extra={"step": 0.1},
    )


class BalancedSoftmax(LinearProbe):
    """Menon et al., Eq. 10; Ren et al. (arXiv 2007.10740) for τ = 1, up to a constant that softmax does not see."""

    name = "balanced_softmax"
    title = "Balanced Softmax"
    paper = "arXiv 2007.10740, arXiv 2007.07314"
    formula = "CE(z + τ · log π), z = W f + b"
    help = "A linear classifier whose loss takes class frequencies into account, instead of a balanced sampler."
    Options: ClassVar[type[HeadOptions]] = AdjustmentOptions
    fixed = ("log_prior",)
    chooses_sampler = True

    @classmethod
    def sampler(cls, options: HeadOptions, chosen: str, progress: float) -> str:
        return "instance"

    def start(self, context: Context, data: TrainingData) -> State:
        return {**super().start(context, data), "log_prior": for_members(log_priors(data), self.members)}

    def training_logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        logits = self.logits(state, features, context)
        return logits + self.of_members("tau", like=logits) * state["log_prior"]
