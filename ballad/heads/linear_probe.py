"""Linear probe: a linear classifier on frozen features."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from ballad.heads.head import Context, Head, State, TrainingData
from ballad.heads.parts import linear_logits, linear_start

if TYPE_CHECKING:
    from torch import Tensor


class LinearProbe(Head):
    """Weight and bias from random numbers, cross-entropy, batches of the chosen sampler."""

    name = "linear_probe"
    title = "Linear probe"
    formula = "z = W f + b"
    help = "A randomly initialised linear classifier on the features; it does not use the class texts."
    grid: ClassVar[Mapping[str, tuple[float, ...]]] = {"learning_rate": (0.02, 0.1, 0.5, 2.5)}

    def start(self, context: Context, data: TrainingData) -> State:
        return linear_start(self.seeds, context)

    def logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        return linear_logits(state["weight"], state["bias"], features)

    def class_points(self, state: State, context: Context) -> "Tensor":
        return state["weight"]
