"""The samplers: how often an epoch draws each class.

Kang et al., "Decoupling representation and classifier" (arXiv 1910.09217), section 3, as used in Table 8 of the paper.
A sampler is a rule registered here; the form, its help and the shell take it from :data:`SAMPLERS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Probabilities = Callable[[Any, float], Any]
"""Class counts ``[K]`` (floats, any kind of array) and progress, 0 in the first epoch to 1 in the last, to q ``[K]``.

Classes without images have q = 0.
"""


@dataclass(frozen=True)
class Sampler:
    """One way to draw training images.

    probabilities : the chance q that a draw falls on each class.
    help : what it does, as a clause that begins with its name.
    each_image_once : an epoch is a shuffle of all images; q says how often that shows each class.
    in_rounds : with several images per draw, classes come in shuffled rounds, as the released code has them.
    """

    name: str
    title: str
    help: str
    probabilities: Probabilities
    each_image_once: bool = False
    in_rounds: bool = False


SAMPLERS: dict[str, Sampler] = {}


def sampler(name: str, title: str, help: str, **traits: bool) -> Callable[[Probabilities], Probabilities]:
    """Register the decorated rule as a sampler."""

    def register(probabilities: Probabilities) -> Probabilities:
        SAMPLERS[name] = Sampler(name, title, help, probabilities, **traits)
        return probabilities

    return register


@sampler("instance", "instance (every image once)", "instance sampling follows the long tail", each_image_once=True)
def instance(counts: Any, progress: float) -> Any:
    """n_k / N."""
    return counts / counts.sum()


@sampler("class_balanced", "class-balanced", "class-balanced draws every class equally often", in_rounds=True)
def class_balanced(counts: Any, progress: float) -> Any:
    """1 / K."""
    present = counts.clip(0, 1)
    return present / present.sum()


@sampler("square_root", "square-root", "square-root lies in between")
def square_root(counts: Any, progress: float) -> Any:
    """∝ √n_k."""
    roots = counts**0.5
    return roots / roots.sum()


@sampler("mix_balanced", "mix-balanced", "mix-balanced goes from instance sampling to class-balanced over the epochs")
def mix_balanced(counts: Any, progress: float) -> Any:
    """Linearly from instance sampling to class-balanced."""
    return (1 - progress) * instance(counts, progress) + progress * class_balanced(counts, progress)


UNBALANCED = next(each.name for each in SAMPLERS.values() if each.each_image_once)


def samplers_help() -> str:
    """What each sampler does, in one sentence."""
    clauses = "; ".join(each.help for each in SAMPLERS.values())
    return f"How images are drawn. {clauses[0].upper()}{clauses[1:]}."
