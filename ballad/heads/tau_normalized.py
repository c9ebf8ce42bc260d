"""τ-normalisation: the rows of a linear classifier are brought closer to one length."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ballad.heads.head import Context, HeadOptions, State
from ballad.heads.linear_probe import LinearProbe

if TYPE_CHECKING:
    from torch import Tensor


class TauNormalizedOptions(HeadOptions):
    """The temperature of the normalisation."""

    tau: float = Field(
        default=1.0,
        ge=0,
        le=2,
        title="Normalisation τ",
        description="0 leaves the weights unchanged (without bias); 1 gives all classes weights of the same length.",
        json_schema_extra={"step": 0.1},
    )


class TauNormalized(LinearProbe):
    """Kang et al., section 4.2: a classifier that learned from every image once per epoch, normalised afterwards."""

    name = "tau_normalized"
    title = "τ-normalised"
    paper = "arXiv 1910.09217"
    formula = "z = w f / ‖w‖^τ, with W of an instance-trained linear classifier"
    help = "Training gives frequent classes longer weights; dividing by ‖w‖^τ undoes that afterwards."
    Options = TauNormalizedOptions
    grid: ClassVar[Mapping[str, tuple[float, ...]]] = {"tau": (0.5, 1.0, 1.5, 2.0)}
    chooses_sampler = True

    @classmethod
    def sampler(cls, options: HeadOptions, chosen: str, progress: float) -> str:
        return "instance"

    def training_logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        return super().logits(state, features, context)

    def logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        return features.expand(self.members, *features.shape[-2:]) @ self.class_points(state, context).mT

    def class_points(self, state: State, context: Context) -> "Tensor":
        lengths = state["weight"].norm(dim=-1, keepdim=True).clamp_min(1e-12)
        return state["weight"] / lengths ** self.of_members("tau", like=lengths)
