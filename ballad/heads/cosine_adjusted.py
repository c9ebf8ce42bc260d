"""Cosine head from the class texts with logit-adjusted loss: LIFT's classifier, in the joint space."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from ballad.heads.balanced_softmax import AdjustmentOptions
from ballad.heads.head import Context, Head, State, TrainingData
from ballad.heads.parts import cosine_logits, for_members, log_priors, text_weights

if TYPE_CHECKING:
    from torch import Tensor


class CosineOptions(AdjustmentOptions):
    """Defaults of the authors' code."""

    scale: float = Field(
        default=25.0, gt=0, title="Scale s", description="Multiplies the cosines.", json_schema_extra={"step": 1.0}
    )


class CosineAdjusted(Head):
    """Shi et al. (ICML 2024): the classifier starts as the class texts, so its first answer is the zero-shot one."""

    name = "cosine_adjusted"
    title = "Cosine head, logit-adjusted"
    paper = "arXiv 2309.10019"
    formula = "CE(s · cos(w, f) + τ · log π), W from the class texts"
    help = "A cosine classifier initialised with the class texts; its loss takes class frequencies into account."
    Options = CosineOptions
    grid: ClassVar[Mapping[str, tuple[float, ...]]] = {"learning_rate": (0.02, 0.1, 0.5, 2.5)}
    fixed = ("log_prior",)
    chooses_sampler = True

    @classmethod
    def sampler(cls, options: Any, chosen: str, progress: float) -> str:
        return "instance"

    def start(self, context: Context, data: TrainingData) -> State:
        return {
            "weight": text_weights(self.members, context),
            "log_prior": for_members(log_priors(data), self.members),
        }

    def logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        return self.of_members("scale", like=features) * cosine_logits(state["weight"], features, 1.0)

    def training_logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        logits = self.logits(state, features, context)
        return logits + self.of_members("tau", like=logits) * state["log_prior"]

    def class_points(self, state: State, context: Context) -> "Tensor":
        return state["weight"]
