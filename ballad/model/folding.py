"""Batch normalisation with frozen statistics, folded into the convolution before it.

In both phases the statistics never move, so a normalisation is a factor and a shift for each channel. They are put into
the convolution's weights and bias at every call: one pass over the features less, forward and backward, and one tensor
less to keep for the backward pass. Parameters keep their names and places; gradients reach them through the product.
"""

import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call

TOLERANCE = 1e-3
"""Relative to the largest feature: rounding is far below this, a lost normalisation far above."""

Pair = tuple[nn.Conv2d, nn.BatchNorm2d]


def fold_batch_norms(visual: nn.Module, pictures: Tensor) -> int:
    """Fold what can be folded of an image tower in evaluation mode; returns how many normalisations.

    ``pictures [B, 3, S, S]`` tell which normalisation follows which convolution, and that the features stay the same:
    a tower that uses a convolution's output elsewhere too is left as it is.
    """
    pairs = _pairs(visual, pictures)
    if not pairs:
        return 0
    before = _features(visual, pictures)
    for convolution, norm in pairs:
        setattr(convolution, "forward", _FoldedConvolution(_own_parameters(convolution), convolution, norm))  # noqa: B010
        setattr(norm, "forward", partial(_what_follows, norm))  # noqa: B010
    difference = (_features(visual, pictures) - before).abs().max()
    if difference <= TOLERANCE * before.abs().max():
        return len(pairs)
    for pair in pairs:
        for module in pair:
            del module.forward
    return 0


@dataclass(frozen=True)
class _FoldedConvolution:
    """The forward pass of ``convolution`` and the affine part of ``norm``; ``bare`` is called with their product."""

    bare: nn.Conv2d
    convolution: nn.Conv2d
    norm: nn.BatchNorm2d

    def __call__(self, x: Tensor) -> Tensor:
        convolution, norm = self.convolution, self.norm
        assert norm.running_mean is not None and norm.running_var is not None
        factor = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        shift = norm.bias - norm.running_mean * factor
        if convolution.bias is not None:
            shift = shift + convolution.bias * factor
        return functional_call(
            self.bare, {"weight": convolution.weight * factor[:, None, None, None], "bias": shift}, x
        )


def _what_follows(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """What a normalisation does beside normalising: timm's bring their activation along."""
    from timm.layers import BatchNormAct2d

    return norm.act(norm.drop(x)) if isinstance(norm, BatchNormAct2d) else x


def _pairs(visual: nn.Module, pictures: Tensor) -> list[Pair]:
    """Convolutions whose output one normalisation takes as it is, both of them called once in a forward pass."""
    made_by: dict[int, nn.Conv2d] = {}
    outputs: list[Tensor] = []  # kept, so that no two have the same id
    pairs: list[Pair] = []

    def note_output(convolution: nn.Conv2d, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        outputs.append(output)
        made_by[id(output)] = convolution

    def note_input(norm: nn.BatchNorm2d, inputs: tuple[Tensor, ...]) -> None:
        if id(inputs[0]) in made_by:
            pairs.append((made_by[id(inputs[0])], norm))

    norms = list(_foldable(visual))
    handles = [norm.register_forward_pre_hook(note_input) for norm in norms]
    handles += [m.register_forward_hook(note_output) for m in visual.modules() if norms and isinstance(m, nn.Conv2d)]
    try:
        if norms:
            _features(visual, pictures)
    finally:
        for handle in handles:
            handle.remove()
    calls = Counter(module for pair in pairs for module in pair)
    return [pair for pair in pairs if all(calls[module] == 1 for module in pair)]


def _foldable(visual: nn.Module) -> Iterator[nn.BatchNorm2d]:
    from timm.layers import BatchNormAct2d

    for module in visual.modules():
        known = type(module) in (nn.BatchNorm2d, BatchNormAct2d)
        if known and isinstance(module, nn.BatchNorm2d) and module.affine and module.track_running_stats:
            yield module


def _own_parameters(convolution: nn.Conv2d) -> nn.Conv2d:
    """A copy to call with other parameters, which the original does not see."""
    bare = copy.copy(convolution)
    bare._parameters = dict(convolution._parameters)
    return bare


@torch.no_grad()
def _features(visual: nn.Module, pictures: Tensor) -> Tensor:
    features = visual(pictures)
    return features[0] if isinstance(features, tuple) else features
