"""The balanced linear adapter (Eq. 5): a residual linear map in the joint space, on images, class texts or both."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from ballad.heads.head import FLOAT_BYTES, Context, Head, HeadOptions, State, TrainingData

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import Tensor


class BalladOptions(HeadOptions):
    """The form of the adapter; its fields lie beside the other settings of Phase B."""

    placement: Literal["image", "text", "both"] = Field(
        default="image",
        title="Adapter on",
        description="Where the linear layer sits (Table 6).",
        json_schema_extra={"titles": {"image": "image features", "text": "class texts", "both": "both"}},
    )
    residual_factor: float = Field(
        default=0.2,
        ge=0,
        le=1,
        title="Residual factor λ",
        description="f* = λ · adapter(f) + (1 − λ) · f (Eq. 5): 0 is Phase A alone, 1 the adapter alone. A larger λ "
        "helps rare classes at some cost to frequent ones.",
    )
    activation: Literal["relu", "none"] = Field(
        default="relu",
        title="Adapter's form",
        description="Eq. 5 has a ReLU; the released code's adapter is linear.",
        json_schema_extra={"titles": {"relu": "ReLU (Eq. 5)", "none": "linear (released code)"}},
    )
    bias: bool = Field(
        default=True, title="Adapter has a bias", description="Eq. 5 has a bias; the released code does not."
    )


class Ballad(Head):
    """Eq. 5 with one λ per member.

    Weights start as torch's linear layers do, uniform in ±1/√d, each member from its own seed.
    """

    name = "ballad"
    title = "BALLAD"
    paper = "arXiv 2111.14745"
    formula = "z = s · ⟨f*, u⟩ with f* = λ · ReLU(Wᵀ f + b) + (1 − λ) · f"
    help = "A residual linear layer on the features, trained on balanced batches, with the class texts as classifier."
    Options = BalladOptions
    alike: ClassVar[tuple[str, ...]] = ("placement", "activation", "bias")
    grid: ClassVar[Mapping[str, tuple[float, ...]]] = {"residual_factor": (0.1, 0.2, 0.3, 0.5)}

    def start(self, context: Context, data: TrainingData) -> State:
        import torch

        form, dim = self.options[0], context.texts.shape[1]
        generators = [torch.Generator().manual_seed(seed) for seed in self.seeds]
        state = {f"weights.{side}": _uniform(generators, (dim, dim)) for side in _sides(form)}
        if form.bias:
            state |= {f"biases.{side}": _uniform(generators, (dim,)) for side in _sides(form)}
        return state

    def logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        from torch.nn.functional import normalize

        from ballad.similarity import similarity_logits

        texts = self._adapted(state, "text", context.texts)
        if texts is not context.texts:
            texts = normalize(texts, dim=-1)
        return similarity_logits(self._adapted(state, "image", features), texts, context.logit_scale)

    def embed(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        return self._adapted(state, "image", features).expand(self.members, *features.shape[-2:])

    def class_points(self, state: State, context: Context) -> "Tensor":
        return self._adapted(state, "text", context.texts).expand(self.members, *context.texts.shape)

    @classmethod
    def bytes_of_member(cls, options: Any, *, batch_size: int, dim: int, classes: int) -> int:
        """Weights ``[d, d]`` with gradient and momentum, activations of a batch.

        A batch leaves up to seven tensors ``[B, d]`` (features, hidden layer, its mix, gradients) and four ``[B, K]``
        (logits, log-probabilities, their gradients); an adapted text as many ``[K, d]``.
        """
        weights = 3 * len(_sides(options)) * dim * (dim + 1)
        rows = batch_size + (classes if "text" in _sides(options) else 0)
        return FLOAT_BYTES * (weights + 7 * rows * dim + 4 * batch_size * classes)

    def _adapted(self, state: State, side: str, x: "Tensor") -> "Tensor":
        """Eq. 5 on ``[N, d]`` or ``[M, N, d]``: ``[M, N, d]``; ``x`` itself where no adapter sits on this side."""
        import torch

        weight, bias = state.get(f"weights.{side}"), state.get(f"biases.{side}")
        if weight is None:
            return x
        stacked = x.expand(len(weight), *x.shape[-2:])
        hidden = torch.bmm(stacked, weight) if bias is None else torch.baddbmm(bias[:, None], stacked, weight)
        if self.options[0].activation == "relu":
            hidden = hidden.relu()
        # λ = 0 gives x and λ = 1 the hidden layer, both to the last bit.
        return torch.lerp(stacked, hidden, self.of_members("residual_factor", like=x))


def _sides(form: BalladOptions) -> tuple[str, ...]:
    return ("image", "text") if form.placement == "both" else (form.placement,)


def _uniform(generators: "Sequence[torch.Generator]", shape: tuple[int, ...]) -> "Tensor":
    import torch

    bound = shape[0] ** -0.5
    return torch.stack([torch.empty(shape).uniform_(-bound, bound, generator=generator) for generator in generators])
