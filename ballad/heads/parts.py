"""What several heads share: linear and cosine classifiers, class priors and weights."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ballad.heads.head import Context, State, TrainingData

if TYPE_CHECKING:
    from torch import Tensor


def uniform(seeds: Sequence[int], *shapes: tuple[int, ...], bound: float) -> "list[Tensor]":
    """Tensors ``[M, *shape]``, uniform in ± ``bound``, each member from its own seed."""
    import torch

    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return [
        torch.stack([torch.empty(shape).uniform_(-bound, bound, generator=generator) for generator in generators])
        for shape in shapes
    ]


def linear_start(seeds: Sequence[int], context: Context) -> State:
    """A linear classifier, uniform in ±1/√d as torch's layers start: ``weight [M, K, d]``, ``bias [M, 1, K]``."""
    classes, dim = context.texts.shape
    weight, bias = uniform(seeds, (classes, dim), (1, classes), bound=dim**-0.5)
    return {"weight": weight, "bias": bias}


def linear_logits(weight: "Tensor", bias: "Tensor", features: "Tensor") -> "Tensor":
    """``w · f + b``: weight ``[M, K, d]``, bias ``[M, 1, K]``, features ``[B, d]`` or ``[M, B, d]``; ``[M, B, K]``."""
    import torch

    return torch.baddbmm(bias, features.expand(len(weight), *features.shape[-2:]), weight.mT)


def cosine_logits(weight: "Tensor", features: "Tensor", scale: float) -> "Tensor":
    """``scale · cos(w, f)``: weight ``[M, K, d]``, features ``[B, d]`` or ``[M, B, d]`` to ``[M, B, K]``."""
    from torch.nn.functional import normalize

    return scale * normalize(features, dim=-1) @ normalize(weight, dim=-1).mT


def text_weights(members: int, context: Context) -> "Tensor":
    """Class texts as the start of a classifier, ``[M, K, d]``."""
    return context.texts.expand(members, -1, -1).clone()


def log_priors(data: TrainingData) -> "Tensor":
    """``log π_k`` of the training set, float32 ``[1, 1, K]``; a class without images counts as one with one image."""
    counts = data.class_counts.clamp(min=1).double()
    return (counts / counts.sum()).log().float()[None, None]


def for_members(value: "Tensor", members: int) -> "Tensor":
    """``[1, …]`` to ``[M, …]``, each member with its own."""
    return value.expand(members, *value.shape[1:]).clone()


def effective_number_weights(data: TrainingData, beta: float) -> "Tensor":
    """Weights ``(1 − β) / (1 − β^n_k)`` with mean 1, float32 ``[K]`` (Cui et al., arXiv 1901.05555, Eq. 4)."""
    counts = data.class_counts.clamp(min=1).double()
    weights = (1 - beta) / (1 - beta**counts)
    return (weights / weights.mean()).float()
