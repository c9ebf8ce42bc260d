"""LWS: a linear classifier's logits scaled by one learned number per class."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from ballad.heads.head import Context, Head, HeadOptions, State, TrainingData
from ballad.heads.parts import linear_logits, linear_start

if TYPE_CHECKING:
    from torch import Tensor


class LWSOptions(HeadOptions):
    """How training is divided between the classifier and the scales."""

    scaling_from: float = Field(
        default=0.5,
        gt=0,
        lt=1,
        title="Scales from",
        description="The fraction of epochs after which the classifier is frozen and the scales are trained.",
        json_schema_extra={"step": 0.1},
    )


class LWS(Head):
    """Kang et al., section 4.3: first the classifier on all images alike, then its scales on class-balanced batches.

    Together, both trainings take as many steps as the one training of other methods.
    """

    name = "lws"
    title = "LWS"
    paper = "arXiv 1910.09217"
    formula = "z = s_k · (w f + b), s on class-balanced batches with W and b frozen"
    help = "Learnable weight scaling: an instance-trained linear classifier, then one scale per class."
    Options = LWSOptions
    alike = ("scaling_from",)
    grid: ClassVar[Mapping[str, tuple[float, ...]]] = {"learning_rate": (0.02, 0.1, 0.5, 2.5)}
    chooses_sampler = True

    def start(self, context: Context, data: TrainingData) -> State:
        state = linear_start(self.seeds, context)
        return {**state, "scale": state["bias"].new_ones(state["bias"].shape)}

    def logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        return state["scale"] * linear_logits(state["weight"], state["bias"], features)

    def is_trained(self, entry: str, progress: float) -> bool:
        return (entry == "scale") == (progress >= self.options[0].scaling_from)

    @classmethod
    def sampler(cls, options: Any, chosen: str, progress: float) -> str:
        return "class_balanced" if progress >= options.scaling_from else "instance"

    def class_points(self, state: State, context: Context) -> "Tensor":
        return state["scale"].mT * state["weight"]
