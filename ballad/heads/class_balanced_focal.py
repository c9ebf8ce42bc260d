"""Class-balanced focal loss: rare classes and uncertain images count for more."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from ballad.heads.head import Context, HeadOptions, State, TrainingData
from ballad.heads.linear_probe import LinearProbe
from ballad.heads.parts import effective_number_weights, for_members

if TYPE_CHECKING:
    from torch import Tensor


class FocalOptions(HeadOptions):
    """Defaults of the authors' code for long-tailed CIFAR."""

    beta: float = Field(
        default=0.9999,
        ge=0,
        lt=1,
        title="Effective number β",
        description="0 weights all classes alike; close to 1, classes are weighted by the inverse of their counts.",
        json_schema_extra={"step": 0.0001},
    )
    gamma: float = Field(
        default=1.0,
        ge=0,
        title="Focus γ",
        description="How much images that are already classified correctly are down-weighted; 0 not at all.",
        json_schema_extra={"step": 0.5},
    )


class ClassBalancedFocal(LinearProbe):
    """Cui et al., Eq. 8: a binary focal loss for each class, weighted by the class's effective number of images."""

    name = "class_balanced_focal"
    title = "Class-balanced focal loss"
    paper = "arXiv 1901.05555"
    formula = "(1 − β) / (1 − β^n_y) · Σ_k (1 − p_k)^γ · (− log p_k), p_k = σ(± z_k)"
    help = "A linear classifier with one sigmoid per class; rare classes and uncertain images count for more."
    Options = FocalOptions
    alike = ("beta",)
    fixed = ("class_weight",)
    chooses_sampler = True

    @classmethod
    def sampler(cls, options: Any, chosen: str, progress: float) -> str:
        return "instance"

    def start(self, context: Context, data: TrainingData) -> State:
        import math

        state = super().start(context, data)
        # As in the authors' code, classes start at a probability of 1/K, lest the K − 1 negatives dominate the first
        # steps.
        prior = -math.log(max(len(context.texts) - 1, 1))
        weights = effective_number_weights(data, self.options[0].beta)
        return {
            **state,
            "bias": state["bias"].new_full(state["bias"].shape, prior),
            "class_weight": for_members(weights[None], self.members),
        }

    def loss(self, state: State, features: "Tensor", targets: "Tensor", context: Context, progress: float) -> "Tensor":
        from torch.nn.functional import logsigmoid, one_hot

        logits = self.logits(state, features, context)
        expanded = targets.expand(logits.shape[:2])
        signed = logits * (2 * one_hot(expanded, logits.shape[2]) - 1)
        # (1 − p)^γ = σ(− z)^γ, from its logarithm so that it stays finite.
        focus = (self.of_members("gamma", like=logits) * logsigmoid(-signed)).exp()
        of_images = -(focus * logsigmoid(signed)).sum(2)
        return (state["class_weight"][0][expanded] * of_images).mean(1)
