"""The sentences that stand for a class (section 4.4 and Table 10 of the paper)."""

from collections.abc import Sequence

import numpy as np

from ballad.sections import PromptSettings

SINGLE_TEMPLATE = "a photo of a {}."

PAPER_TEMPLATES = (
    "itap of a {}.",
    "a bad photo of the {}.",
    "a origami {}.",
    "a photo of the large {}.",
    "a {} in a video game.",
    "art of the {}.",
    "a photo of the small {}.",
)
"""The seven that CLIP's authors selected for ImageNet; the paper's ensemble and the pool of its random prompt."""


def class_prompts(class_names: Sequence[str], settings: PromptSettings, seed: int) -> list[list[str]]:
    """The T prompts of each of K classes, T the same for all.

    T is 1 for ``single`` and ``random_single`` (one of the seven per class, drawn from ``seed``), 7 for ``ensemble``
    and the number of templates for ``custom``.
    """
    if settings.kind == "random_single":
        drawn = np.random.default_rng(seed).integers(len(PAPER_TEMPLATES), size=len(class_names))
        return [[_fill(PAPER_TEMPLATES[index], name)] for index, name in zip(drawn, class_names, strict=True)]
    templates = {"single": (SINGLE_TEMPLATE,), "ensemble": PAPER_TEMPLATES, "custom": settings.templates}[settings.kind]
    return [[_fill(template, name) for template in templates] for name in class_names]


def _fill(template: str, class_name: str) -> str:
    # Not str.format: a template may hold other braces.
    return template.replace("{}", class_name)
