"""LIFT's classifier on the features it was made for: those before the projection into the joint space."""

from typing import TYPE_CHECKING, ClassVar

from ballad.heads.cosine_adjusted import CosineAdjusted

if TYPE_CHECKING:
    from ballad.spaces import Space


class LIFTHead(CosineAdjusted):
    """Shi et al. (ICML 2024), ViT towers: W starts as the class texts u taken back by the projection P, w = P u.

    For ResNets the authors' classifier lies in the joint space, which is the cosine head.
    """

    name = "lift_head"
    title = "LIFT's head"
    formula = "CE(s · cos(w, h) + τ · log π), h before the projection P, W from P u"
    help = "The logit-adjusted cosine head on the image tower's features before their projection into the joint space."
    reads: "ClassVar[Space]" = "before_projection"
