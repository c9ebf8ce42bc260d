"""RIDE: several cosine experts that learn LDAM's margins and are kept apart."""

from typing import TYPE_CHECKING

from pydantic import Field

from ballad.heads.head import Context, State, TrainingData
from ballad.heads.ldam_drw import LDAM, LDAMOptions
from ballad.heads.losses import cross_entropy
from ballad.heads.parts import uniform

if TYPE_CHECKING:
    from torch import Tensor


class RIDEOptions(LDAMOptions):
    """Defaults of the authors' code; weights come in at half of the training."""

    experts: int = Field(
        default=4, ge=2, le=8, title="Experts", description="Number of classifiers, whose outputs are averaged."
    )
    diversity: float = Field(
        default=0.2,
        ge=0,
        title="Diversity",
        description="How strongly the experts are kept apart; the authors use 0.2, and 0.45 on CIFAR.",
        json_schema_extra={"step": 0.05},
    )
    reweighting_from: float = Field(
        default=0.5,
        ge=0,
        le=1,
        title="Weights from",
        description="The share of the epochs after which classes are weighted by their effective number of images.",
        json_schema_extra={"step": 0.1},
    )


class RIDE(LDAM):
    """Wang et al.: each expert has LDAM's loss, less its divergence from the mean of all."""

    name = "ride"
    title = "RIDE"
    paper = "arXiv 2010.01809"
    formula = "Σ_i LDAM(z_i) − γ · KL(p_i ‖ mean p); z = mean of z_i"
    help = "Several cosine classifiers with larger margins for rare classes, kept apart by their divergence."
    Options = RIDEOptions
    alike = ("experts", "reweighting_from")
    head_only = True

    def start(self, context: Context, data: TrainingData) -> State:
        classes, dim = context.texts.shape
        (weight,) = uniform(self.seeds, (self.options[0].experts * classes, dim), bound=dim**-0.5)
        return {**super().start(context, data), "weight": weight}

    def experts(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        """Logits of the experts, ``[M, B, E, K]``."""
        return super().logits(state, features, context).unflatten(2, (self.options[0].experts, -1))

    def logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        return self.experts(state, features, context).mean(2)

    def loss(self, state: State, features: "Tensor", targets: "Tensor", context: Context, progress: float) -> "Tensor":
        from torch.nn.functional import one_hot

        logits = self.experts(state, features, context)
        true = one_hot(targets.expand(logits.shape[:2]), logits.shape[3])
        margins = true * self.of_members("scale", like=logits) * state["margin"]
        weights = state["class_weight"][0] if progress >= self.options[0].reweighting_from else None
        learned = [cross_entropy(expert - margins, targets, weights) for expert in logits.unbind(2)]
        log_p = logits.log_softmax(-1)
        log_mean = log_p.exp().mean(2, keepdim=True).clamp_min(1e-12).log()
        divergence = (log_p.exp() * (log_p - log_mean)).sum(-1).mean(1)  # [M, E]
        return sum(learned, divergence.new_zeros(self.members)) - (
            self.of_members("diversity", like=logits)[:, 0] * divergence
        ).sum(1)

    def class_points(self, state: State, context: Context) -> "Tensor":
        return state["weight"].unflatten(1, (self.options[0].experts, -1)).mean(1)
