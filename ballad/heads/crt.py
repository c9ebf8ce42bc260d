"""cRT: a linear classifier trained anew on class-balanced batches."""

from ballad.heads.head import HeadOptions
from ballad.heads.linear_probe import LinearProbe


class CRT(LinearProbe):
    """The second stage of Kang et al.: the classifier starts from random numbers on frozen features."""

    name = "crt"
    title = "cRT"
    paper = "arXiv 1910.09217"
    formula = "z = W f + b, trained on class-balanced batches"
    help = "Classifier re-training: a randomly initialised linear classifier, trained on class-balanced batches."
    chooses_sampler = True

    @classmethod
    def sampler(cls, options: HeadOptions, chosen: str, progress: float) -> str:
        return "class_balanced"
