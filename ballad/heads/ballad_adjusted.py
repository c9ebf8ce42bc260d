"""BALLAD's adapter with a logit-adjusted loss instead of the balanced sampler."""

from typing import TYPE_CHECKING, Any

from ballad.heads.balanced_softmax import AdjustmentOptions
from ballad.heads.ballad import Ballad, BalladOptions
from ballad.heads.head import Context, State, TrainingData
from ballad.heads.parts import for_members, log_priors

if TYPE_CHECKING:
    from torch import Tensor


class BalladAdjustedOptions(BalladOptions, AdjustmentOptions):
    """Eq. 5 and the strength of the adjustment."""


class BalladAdjusted(Ballad):
    """Eq. 5, learned from every image once per epoch; the loss, not the sampler, compensates for the long tail."""

    name = "ballad_adjusted"
    title = "BALLAD, logit-adjusted"
    paper = ""
    formula = "CE(s · ⟨f*, u⟩ + τ · log π), f* of Eq. 5"
    help = "BALLAD's adapter with instance sampling and a loss that takes class frequencies into account."
    Options = BalladAdjustedOptions
    fixed = ("log_prior",)
    chooses_sampler = True

    @classmethod
    def sampler(cls, options: Any, chosen: str, progress: float) -> str:
        return "instance"

    def start(self, context: Context, data: TrainingData) -> State:
        return {**super().start(context, data), "log_prior": for_members(log_priors(data), self.members)}

    def training_logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        logits = self.logits(state, features, context)
        return logits + self.of_members("tau", like=logits) * state["log_prior"]
