"""LIFT's bottlenecks: small maps beside the MLP of every block of a ViT, all that is trained of its towers.

Shi et al. (ICML 2024, arXiv 2309.10019), whose code calls them AdaptFormer.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from ballad.errors import BackboneError

MARK = ".bottleneck."
"""In the names of their parameters."""


class Bottleneck(nn.Module):
    """``scale · (up · ReLU(down · LayerNorm(x)))`` on tokens ``[…, d]``; nothing at its start, since ``up`` is zero.

    ``down`` starts normal with variance 1 / (3 d), biases at zero, the scale at 1, as in the authors' code.
    """

    def __init__(self, dim: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.down, self.up = skip_init(nn.Linear, dim, width), skip_init(nn.Linear, width, dim)
        self.scale = nn.Parameter(torch.ones(1))
        nn.init.normal_(self.down.weight, std=(3 * dim) ** -0.5, generator=generator)
        for parameter in (self.down.bias, self.up.weight, self.up.bias):
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * self.up(self.down(self.norm(x)).relu())


def bottleneck_width(classes: int, blocks: int) -> int:
    """``2^⌊log₂(K / 2L)⌋`` for K classes and L blocks, which makes all of them about as large as the classifier."""
    return 2 ** max(0, math.floor(math.log2(classes / (2 * blocks))))


def add_bottlenecks(visual: Any, *, width: int | None = None, classes: int = 0, seed: int = 0) -> None:
    """Put bottlenecks of this width, or of that for so many classes, into a ViT image tower, open_clip's own or timm's.

    Raises BackboneError for a tower of another kind.
    """
    blocks = _blocks(visual)
    if not blocks:
        raise BackboneError(
            "LIFT's bottlenecks lie beside the MLP blocks of plain ViT towers, which this backbone's image tower is "
            "not; choose such a ViT, or another value of phase_a.tuned. Of a ResNet, LIFT trains a scale and a shift "
            "of its features, which is phase_b.method = lift_resnet."
        )
    width = width or bottleneck_width(classes, len(blocks))
    generator = torch.Generator().manual_seed(seed)
    for block, norm, forward in blocks:
        block.bottleneck = Bottleneck(len(norm.weight), width, generator).to(norm.weight.device)
        setattr(block, "forward", partial(forward, block))  # noqa: B010


def width_of(state: Mapping[str, Tensor]) -> int | None:
    """The width of the bottlenecks among a tower's tensors; None where there are none."""
    return next((len(tensor) for name, tensor in state.items() if name.endswith(f"{MARK}down.weight")), None)


def _blocks(visual: Any) -> list[tuple[Any, nn.LayerNorm, Callable[..., Tensor]]]:
    """Each block with the norm before its MLP and its forward pass with a bottleneck; none in another kind of tower."""
    from open_clip.timm_model import TimmModel
    from open_clip.transformer import ResidualAttentionBlock, VisionTransformer

    if isinstance(visual, VisionTransformer):
        blocks = list(visual.transformer.resblocks)
        plain = all(isinstance(block, ResidualAttentionBlock) for block in blocks)
        return [(block, block.ln_2, _in_open_clip) for block in blocks if plain]
    if not isinstance(visual, TimmModel):
        return []
    from timm.models import vision_transformer as timm_vit

    blocks = list(visual.trunk.blocks) if isinstance(visual.trunk, timm_vit.VisionTransformer) else []
    plain = all(type(block) is timm_vit.Block for block in blocks)
    return [(block, block.norm2, _in_timm) for block in blocks if plain]


def _in_open_clip(block: Any, q_x: Tensor, attn_mask: Tensor | None = None) -> Tensor:
    """The block's forward pass; the bottleneck reads what its MLP reads, before the normalisation."""
    x = q_x + block.ls_1(block.attention(q_x=block.ln_1(q_x), attn_mask=attn_mask))
    return x + block.ls_2(block.mlp(block.ln_2(x))) + block.bottleneck(x)


def _in_timm(block: Any, x: Tensor, **attention: Any) -> Tensor:
    """The same for timm's blocks."""
    x = x + block.drop_path1(block.ls1(block.attn(block.norm1(x), **attention)))
    return x + block.drop_path2(block.ls2(block.mlp(block.norm2(x)))) + block.bottleneck(x)
