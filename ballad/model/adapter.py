"""The balanced linear adapter (Eq. 5), M of them at once.

A sweep over λ, seeds or rates trains many adapters on the same features. Stacking their weights in one leading
dimension M turns M small matrix products into one batched product; a single adapter is the case M = 1.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from ballad.experiment import Placement


class Adapters(nn.Module):
    """M residual linear maps in the joint space, on the image side, the text side or both (Table 6).

    Eq. 5: ``f* = λ · ReLU(Wᵀ f + b) + (1 − λ) · f``, with one λ a member.
    Weights start as torch's linear layers do, uniform in ±1/√d, each member from its own seed.

    Parameters
    ----------
    dim : d, the size of the joint space.
    residual_factors : λ of each of the M members, in [0, 1].
    seeds : one a member.
    """

    residual_factors: Tensor

    def __init__(
        self,
        dim: int,
        residual_factors: Sequence[float],
        seeds: Sequence[int],
        *,
        placement: Placement = "image",
        activation: Literal["relu", "none"] = "relu",
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.activation = activation
        self.register_buffer("residual_factors", torch.tensor(residual_factors, dtype=torch.float32), persistent=False)
        self.sides = ("image", "text") if placement == "both" else (placement,)
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.weights = nn.ParameterDict({side: _uniform(generators, (dim, dim)) for side in self.sides})
        self.biases = nn.ParameterDict({side: _uniform(generators, (dim,)) for side in self.sides} if bias else {})

    @property
    def adapts_text(self) -> bool:
        return "text" in self.sides

    def image(self, features: Tensor) -> Tensor:
        """Adapt image features ``[B, d]`` (shared by the members) or ``[M, B, d]`` to ``[M, B, d]``."""
        return self._adapt("image", features)

    def text(self, embeddings: Tensor) -> Tensor:
        """Adapt class embeddings ``[K, d]`` to ``[M, K, d]``; as they are where no adapter sits on the text."""
        return self._adapt("text", embeddings)

    def _adapt(self, side: str, x: Tensor) -> Tensor:
        if side not in self.sides:
            return x
        weight = self.weights[side]
        stacked = x.expand(len(weight), *x.shape[-2:])
        if side in self.biases:
            hidden = torch.baddbmm(self.biases[side][:, None], stacked, weight)
        else:
            hidden = torch.bmm(stacked, weight)
        if self.activation == "relu":
            hidden = hidden.relu()
        # λ = 0 gives x and λ = 1 the hidden layer, both to the last bit.
        return torch.lerp(stacked, hidden, self.residual_factors[:, None, None])

    def member_state(self, member: int) -> dict[str, Tensor]:
        """The weights of one member, ready for safetensors."""
        return {name: parameter[member].detach().cpu().clone() for name, parameter in self.named_parameters()}

    @torch.no_grad()
    def load_member_state(self, member: int, state: dict[str, Tensor]) -> None:
        """Put the weights of :meth:`member_state` back."""
        for name, parameter in self.named_parameters():
            parameter[member] = state[name]


def _uniform(generators: list[torch.Generator], shape: tuple[int, ...]) -> nn.Parameter:
    bound = shape[0] ** -0.5
    return nn.Parameter(torch.stack([torch.empty(shape).uniform_(-bound, bound, generator=g) for g in generators]))
