"""PaCo: class centres learned inside a supervised contrast."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from ballad.heads.balanced_softmax import BalancedSoftmax
from ballad.heads.head import Context, HeadOptions, State

if TYPE_CHECKING:
    from torch import Tensor


class PaCoOptions(HeadOptions):
    """α of the authors' code, with β = γ = 1."""

    tau: float = Field(default=1.0, ge=0, le=3, title="Adjustment τ", description="How strongly class priors count.")
    alpha: float = Field(
        default=0.05,
        ge=0,
        title="Weight α",
        description="Weight of other images of the same class, relative to the class centre.",
        json_schema_extra={"step": 0.01},
    )
    temperature: float = Field(
        default=0.2,
        gt=0,
        title="Temperature",
        description="Divides the similarities between images.",
        json_schema_extra={"step": 0.05},
    )


class PaCo(BalancedSoftmax):
    """Cui et al., Eq. 4. On frozen features images cannot move towards each other, so that only the centres learn, and
    what is left comes close to Balanced Softmax.
    """

    name = "paco"
    title = "PaCo"
    paper = "arXiv 2107.12028"
    formula = (
        "− Σ_p w_p log softmax over [z + log π, f f⁺ / T], w = 1 for the class's centre, α for images of the class"
    )
    help = "Class centres learned by contrast with the images of the batch; on frozen features, only the centres learn."
    Options = PaCoOptions
    head_only = True

    def loss(self, state: State, features: "Tensor", targets: "Tensor", context: Context, progress: float) -> "Tensor":
        import torch
        from torch.nn.functional import normalize, one_hot

        centres = self.logits(state, features, context) + self.of_members("tau", like=features) * state["log_prior"]
        members, images, classes = centres.shape
        labels: Any = targets.expand(members, images)
        directions = normalize(features, dim=-1).expand(members, *features.shape[-2:])
        similarities = directions @ directions.mT / self.of_members("temperature", like=features)
        itself = torch.eye(images, dtype=torch.bool, device=features.device)
        log_p = torch.cat([centres, similarities.masked_fill(itself, float("-inf"))], dim=2).log_softmax(-1)
        same = ((labels[:, :, None] == labels[:, None, :]) & ~itself) * self.of_members("alpha", like=features)
        weights = torch.cat([one_hot(labels, classes).float(), same], dim=2)
        # An image's own place has weight 0 and log-probability −∞.
        return -(weights * log_p.masked_fill(weights == 0, 0)).sum(2).div(weights.sum(2)).mean(1)
