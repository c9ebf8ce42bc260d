"""The last linear map of an image tower, which takes features into the joint space; and the features before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Projection:
    """``joint = before · weight + bias``: weight ``[p, d]``, bias ``[d]`` or None.

    entries : what takes the places of the map's parameters in the image tower, by name, so that the tower ends with
        the features before it.
    """

    weight: "Tensor"
    bias: "Tensor | None"
    entries: "Mapping[str, Tensor]"

    def taken_back(self, texts: "Tensor") -> "Tensor":
        """Class texts ``[K, d]`` as directions before the projection, ``[K, p]`` of unit norm.

        ⟨before, W u⟩ = ⟨before · W, u⟩: up to the bias and to lengths, images are as similar to them as to the texts.
        """
        from torch.nn.functional import normalize

        return normalize(texts @ self.weight.T, dim=-1)


def projection_of(visual: Any) -> Projection | None:
    """The projection of one of open_clip's image towers; None for a tower that does not end with a linear map."""
    import torch
    from open_clip.modified_resnet import ModifiedResNet
    from open_clip.timm_model import TimmModel
    from open_clip.transformer import VisionTransformer
    from torch import nn

    if isinstance(visual, VisionTransformer):
        return Projection(visual.proj, None, {"proj": torch.eye(len(visual.proj), device=visual.proj.device)})
    last: Any = None
    if isinstance(visual, ModifiedResNet):
        last = visual.attnpool.c_proj
    elif isinstance(visual, TimmModel):
        last = _last_of_timm(visual)
    if not isinstance(last, nn.Linear):
        return None
    name = next(name for name, module in visual.named_modules() if module is last)
    identity = torch.eye(last.in_features, device=last.weight.device)
    entries = {f"{name}.weight": identity}
    if last.bias is not None:
        entries[f"{name}.bias"] = torch.zeros_like(identity[0])
    return Projection(last.weight.T, last.bias, entries)


def _last_of_timm(visual: Any) -> Any:
    """open_clip's own projection behind a trunk of timm's, or where it adds none the trunk's classifier."""
    if hasattr(visual.head, "proj"):
        return visual.head.proj
    if hasattr(visual.head, "mlp"):
        return visual.head.mlp.fc2
    return None if len(visual.head) else visual.trunk.get_classifier()
