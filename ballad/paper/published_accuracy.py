"""Zero-shot accuracies that are published for OpenAI's weights, with the prompts they were measured with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ballad.experiment import PromptSettings

_CIFAR_PHOTOS = (
    "a photo of {} {{}}.",
    "a blurry photo of {} {{}}.",
    "a black and white photo of {} {{}}.",
    "a low contrast photo of {} {{}}.",
    "a high contrast photo of {} {{}}.",
    "a bad photo of {} {{}}.",
    "a good photo of {} {{}}.",
    "a photo of {} small {{}}.",
    "a photo of {} big {{}}.",
)


def cifar_ensemble() -> PromptSettings:
    """The 18 prompts of CLIP's authors for CIFAR."""
    templates = tuple(photo.format(article) for article in ("a", "the") for photo in _CIFAR_PHOTOS)
    return PromptSettings(kind="custom", templates=templates)


def imagenet_ensemble() -> PromptSettings:
    """The 80 prompts of CLIP's authors for ImageNet, which open_clip ships."""
    from open_clip.zero_shot_metadata import OPENAI_IMAGENET_TEMPLATES

    return PromptSettings(kind="custom", templates=tuple(fill("{}") for fill in OPENAI_IMAGENET_TEMPLATES))


@dataclass(frozen=True)
class PublishedAccuracy:
    """Top-1 over all test images, in percent."""

    dataset: str
    """Its name in the catalogue."""
    prompts: Callable[[], PromptSettings]
    how: str
    """The prompts in a few words."""
    by_backbone: Mapping[str, float]


PUBLISHED_ACCURACIES = (
    # One prompt: arXiv 2111.14745, Table 9.
    PublishedAccuracy(
        "imagenet-lt",
        PromptSettings,
        "one prompt",
        {"RN50": 58.2, "RN101": 61.2, "ViT-B/16": 66.7, "RN50x16": 69.0},
    ),
    PublishedAccuracy(
        "cifar100-lt",
        PromptSettings,
        "one prompt",
        {"RN50": 40.2, "RN101": 47.8, "ViT-B/16": 66.4, "RN50x16": 52.9},
    ),
    # Ensembles: open_clip's docs/openclip_results.csv.
    PublishedAccuracy(
        "imagenet-lt",
        imagenet_ensemble,
        "CLIP's 80 prompts",
        {"RN50": 59.82, "RN101": 62.28, "ViT-B/16": 68.34, "RN50x16": 70.72},
    ),
    PublishedAccuracy(
        "cifar100-lt",
        cifar_ensemble,
        "CLIP's 18 prompts",
        {"RN50": 40.30, "RN101": 47.64, "ViT-B/16": 66.95, "RN50x16": 52.09},
    ),
)
