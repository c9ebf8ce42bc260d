"""SADE (TADE): three linear experts, for a long tail, for balanced classes, and for an inverted tail."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ballad.heads.head import Context, Head, State, TrainingData
from ballad.heads.losses import cross_entropy
from ballad.heads.parts import for_members, linear_logits, log_priors, uniform

if TYPE_CHECKING:
    from torch import Tensor


class SADE(Head):
    """Zhang et al., Eq. 2-4, without test-time weights: the mean of three experts. Two log π̃ are subtracted from the
    backward expert's logits, where π̃ gives the rarest class the prior of the most frequent one and so on.
    """

    name = "sade"
    title = "SADE (TADE)"
    paper = "arXiv 2107.09249"
    formula = "CE(z₁) + CE(z₂ + log π) + CE(z₃ + log π − 2 log π̃); z = mean of z₁, z₂, z₃"
    help = "Three experts, trained for different class frequencies; their outputs are averaged."
    grid: ClassVar[Mapping[str, tuple[float, ...]]] = {"learning_rate": (0.02, 0.1, 0.5, 2.5)}
    head_only = True
    fixed = ("shift",)
    chooses_sampler = True

    @classmethod
    def sampler(cls, options: Any, chosen: str, progress: float) -> str:
        return "instance"

    def start(self, context: Context, data: TrainingData) -> State:
        import torch

        classes, dim = context.texts.shape
        weight, bias = uniform(self.seeds, (3 * classes, dim), (1, 3 * classes), bound=dim**-0.5)
        prior = log_priors(data)
        shifts = torch.stack([torch.zeros_like(prior), prior, prior - 2 * _reversed_ranks(prior)], dim=2)
        return {"weight": weight, "bias": bias, "shift": for_members(shifts, self.members)}

    def experts(self, state: State, features: "Tensor") -> "Tensor":
        """Logits of the three experts, ``[M, B, 3, K]``: forward, uniform, backward."""
        return linear_logits(state["weight"], state["bias"], features).unflatten(2, (3, -1))

    def logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        return self.experts(state, features).mean(2)

    def loss(self, state: State, features: "Tensor", targets: "Tensor", context: Context, progress: float) -> "Tensor":
        shifted = self.experts(state, features) + state["shift"]
        losses = [cross_entropy(expert, targets) for expert in shifted.unbind(2)]
        return losses[0] + losses[1] + losses[2]

    def class_points(self, state: State, context: Context) -> "Tensor":
        return state["weight"].unflatten(1, (3, -1)).mean(1)


def _reversed_ranks(prior: "Tensor") -> "Tensor":
    """The same values ``[1, 1, K]``, the largest where the smallest was."""
    import torch

    order = prior.flatten().argsort(stable=True)
    reversed_ranks = torch.empty_like(prior.flatten())
    reversed_ranks[order] = prior.flatten()[order.flip(0)]
    return reversed_ranks.view_as(prior)
