"""Zero-shot accuracies that are published for OpenAI's weights, with the prompts they were measured with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ballad.data.catalog import CATALOG
from ballad.paper.presets import ZERO_SHOT
from ballad.paper.published import published
from ballad.sections import PromptSettings

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


def published_accuracies() -> list[PublishedAccuracy]:
    """The paper's Table 9, with one prompt, and what CLIP's ensembles of prompts reach."""
    rows = published("table9")
    rows = rows[rows["setting"] == ZERO_SHOT.setting]
    one_prompt = [
        PublishedAccuracy(
            source, PromptSettings, "one prompt", dict(zip(of_set["backbone"], of_set["all"], strict=True))
        )
        for source, entry in CATALOG.items()
        if len(of_set := rows[rows["dataset"] == entry.title])
    ]
    return [*one_prompt, *_ENSEMBLES]


# open_clip's docs/openclip_results.csv.
_ENSEMBLES = (
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
