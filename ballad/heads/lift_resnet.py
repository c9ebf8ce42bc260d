"""LIFT for ResNets, whose tower it leaves as it is: a scale and a shift of the features, and the cosine head."""

from typing import TYPE_CHECKING

from ballad.heads.cosine_adjusted import CosineAdjusted
from ballad.heads.head import Context, State, TrainingData

if TYPE_CHECKING:
    from torch import Tensor


class LIFTResNet(CosineAdjusted):
    """Shi et al. (ICML 2024): each of the attention pool's d outputs is scaled and shifted.

    Scale and shift start at 1 and 0, so that the first answer is the zero-shot one; the authors add a noise of 0.02.
    """

    name = "lift_resnet"
    title = "LIFT for ResNets"
    formula = "CE(s · cos(w, a ∘ f + b) + τ · log π), W from the class texts"
    help = "The logit-adjusted cosine head on scaled and shifted features, which is all that LIFT trains of it."

    def start(self, context: Context, data: TrainingData) -> State:
        ones = context.texts.new_ones(self.members, 1, context.texts.shape[1])
        return {**super().start(context, data), "factor": ones, "shift": ones.new_zeros(ones.shape)}

    def embed(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        return features * state["factor"] + state["shift"]

    def logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        return super().logits(state, self.embed(state, features, context), context)
