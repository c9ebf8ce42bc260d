"""LDAM-DRW: larger margins for rare classes, and class weights late in the training."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from ballad.heads.head import Context, Head, HeadOptions, State, TrainingData
from ballad.heads.losses import cross_entropy
from ballad.heads.parts import cosine_logits, effective_number_weights, for_members, uniform

if TYPE_CHECKING:
    from torch import Tensor


class LDAMOptions(HeadOptions):
    """Defaults of the authors' code."""

    scale: float = Field(
        default=30.0, gt=0, title="Scale s", description="Multiplies the cosines.", json_schema_extra={"step": 1.0}
    )
    margin: float = Field(
        default=0.5,
        ge=0,
        title="Largest margin",
        description="That of the rarest class.",
        json_schema_extra={"step": 0.1},
    )
    reweighting_from: float = Field(
        default=0.8,
        ge=0,
        le=1,
        title="Weights from",
        description="The share of the epochs after which classes are weighted by their effective number of images.",
        json_schema_extra={"step": 0.1},
    )


class LDAM(Head):
    """Cao et al.: margin C / n_k^¼ taken from the true class's cosine, deferred re-weighting with β = 0.9999."""

    name = "ldam_drw"
    title = "LDAM-DRW"
    paper = "arXiv 1906.07413"
    formula = "CE(s · (cos(w, f) − Δ_y)), Δ_k = C · (n_min / n_k)^¼; late: weighted by (1 − β) / (1 − β^n_k)"
    help = "A cosine classifier with larger margins for rare classes, which are also up-weighted late in training."
    Options = LDAMOptions
    alike: ClassVar[tuple[str, ...]] = ("reweighting_from",)
    grid: ClassVar[Mapping[str, tuple[float, ...]]] = {"learning_rate": (0.02, 0.1, 0.5, 2.5)}
    fixed = ("margin", "class_weight")
    chooses_sampler = True

    @classmethod
    def sampler(cls, options: Any, chosen: str, progress: float) -> str:
        return "instance"

    def start(self, context: Context, data: TrainingData) -> State:
        counts = data.class_counts.clamp(min=1).float()
        margins = (counts.min() / counts) ** 0.25
        (weight,) = uniform(self.seeds, tuple(context.texts.shape), bound=context.texts.shape[1] ** -0.5)
        return {
            "weight": weight,
            "margin": for_members(margins[None, None], self.members) * self.of_members("margin", like=margins),
            "class_weight": for_members(effective_number_weights(data, 0.9999)[None], self.members),
        }

    def logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        return self.of_members("scale", like=features) * cosine_logits(state["weight"], features, 1.0)

    def loss(self, state: State, features: "Tensor", targets: "Tensor", context: Context, progress: float) -> "Tensor":
        from torch.nn.functional import one_hot

        logits = self.logits(state, features, context)
        true = one_hot(targets.expand(logits.shape[:2]), logits.shape[2])
        margins = self.of_members("scale", like=logits) * state["margin"]
        late = progress >= self.options[0].reweighting_from
        return cross_entropy(logits - true * margins, targets, state["class_weight"][0] if late else None)

    def class_points(self, state: State, context: Context) -> "Tensor":
        return state["weight"]
