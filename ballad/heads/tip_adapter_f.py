"""Tip-Adapter-F: Tip-Adapter whose cached features are trained."""

from typing import Any

from ballad.heads.tip_adapter import TipAdapter


class TipAdapterF(TipAdapter):
    """Zhang et al., section 3.3: the keys learn by AdamW, the votes' classes stay."""

    name = "tip_adapter_f"
    title = "Tip-Adapter-F"
    help = "Up to 16 training images per class vote alongside the class texts; their features are trained."
    learns = True
    chooses_sampler = True
    optimizer = "adamw"
    learning_rate = 1e-3

    @classmethod
    def sampler(cls, options: Any, chosen: str, progress: float) -> str:
        return "instance"
