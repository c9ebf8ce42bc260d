"""A head in ten lines."""

from typing import Any

from pydantic import Field

from ballad.heads.head import Head, HeadOptions


class ToyOptions(HeadOptions):
    tau: float = Field(default=1.0, ge=0, le=2, title="Strength τ", description="How much of the bias counts.")
    start_at: float = Field(default=0.0, title="Start", description="Every bias at the start.")


class Toy(Head):
    name, title, formula, help = "toy", "Toy", "z = s · ⟨f, u⟩ + τ · b", "A bias for each class."
    Options = ToyOptions

    def start(self, context: Any, data: Any) -> Any:
        biases = context.texts.new_zeros(self.members, 1, len(context.texts))
        return {"bias": biases + self.of_members("start_at", like=biases)}

    def logits(self, state: Any, features: Any, context: Any) -> Any:
        cosines = features / features.norm(dim=-1, keepdim=True) @ context.texts.T
        return context.logit_scale * cosines + self.of_members("tau", like=features) * state["bias"]
