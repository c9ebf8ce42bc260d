"""A pretrained dual encoder: two towers into one joint space, with its tokenizer and preprocessing."""

import math
from collections.abc import Sequence
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from ballad.data.images import ImageSpec
from ballad.errors import BackboneError
from ballad.model.bottlenecks import MARK, add_bottlenecks, width_of
from ballad.model.construction import OpenClipModel, build_model, complete_layout, tower_of
from ballad.model.folding import fold_batch_norms
from ballad.model.image_tower import image_spec, memory_format, resize_input
from ballad.model.projection import Projection, projection_of
from ballad.model.prompts import class_prompts
from ballad.model.source import find_source, read_layout, weights_file
from ballad.model.text_tower import causal_text_tower
from ballad.model.tokenizer import Tokenizer, load_tokenizer
from ballad.sections import BackboneSettings, PromptSettings, Tuned
from ballad.spaces import Space

PROMPTS_AT_ONCE = 512
"""Prompts that go through the text tower together; bounds the memory with thousands of classes."""


class Backbone:
    """Image and text tower of a contrastive vision-language model, always in evaluation mode.

    Batch-norm statistics never move and nothing is dropped out, in both phases, as in the paper's released code.
    Use :func:`load_backbone` to get one.
    """

    name: str
    """As the settings have it, and the tag of published weights."""
    embed_dim: int
    """d, the size of the joint space."""
    image_spec: ImageSpec
    """The pictures that the image tower expects."""
    logit_scale: float
    """s = 1/τ of Eq. 1: logits are s · cos + logit_bias. Frozen."""
    logit_bias: float | None
    """The bias of models trained with a sigmoid loss (SigLIP). Frozen; without effect on a softmax over classes."""

    def __init__(
        self,
        name: str,
        model: OpenClipModel,
        tokenizer: Tokenizer,
        *,
        embed_dim: int,
        image_spec: ImageSpec,
        temperature: float | None = None,
    ) -> None:
        self.name = name
        self.embed_dim = embed_dim
        self.image_spec = image_spec
        self.logit_scale = 1 / temperature if temperature else model.logit_scale.detach().exp().item()
        if not math.isfinite(self.logit_scale):
            raise BackboneError(f"The logit scale of {name} is {self.logit_scale}; set backbone.temperature instead.")
        self.logit_bias = None if model.logit_bias is None else model.logit_bias.detach().item()
        self._tokenizer = tokenizer
        self._memory_format = memory_format(model.visual)
        self._model = model.eval()
        self._model.visual.to(memory_format=self._memory_format)
        noise = torch.randn(1, 3, image_spec.size, image_spec.size, generator=torch.Generator().manual_seed(0))
        fold_batch_norms(self._model.visual, noise)
        # Fixed sine positions are parameters to open_clip, but never trained.
        self._trainable = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
        self._bottlenecks: dict[str, nn.Parameter] = {}
        self.set_tuned(None)

    @property
    def device(self) -> torch.device:
        return self._model.logit_scale.device

    def to(self, device: torch.device | str) -> Self:
        """Move both towers."""
        self._model.to(device)
        return self

    def image_parameters(self) -> dict[str, nn.Parameter]:
        """What Phase A can tune in the image tower, by name; of a tower with bottlenecks these too."""
        own = {name: parameter for name, parameter in self._trainable.items() if tower_of(name) == "image"}
        return {**own, **self._bottlenecks}

    def text_parameters(self) -> dict[str, nn.Parameter]:
        """What Phase A can tune in the text tower, by name."""
        return {name: parameter for name, parameter in self._trainable.items() if tower_of(name) == "text"}

    def add_bottlenecks(self, classes: int, seed: int) -> None:
        """Put LIFT's bottlenecks for ``classes`` classes into the image tower; they change nothing until they are
        tuned.

        Raises BackboneError for an image tower that has no place for them.
        """
        add_bottlenecks(self._model.visual, classes=classes, seed=seed)
        self._find_bottlenecks()

    def _find_bottlenecks(self) -> None:
        self._bottlenecks = {name: tensor for name, tensor in self._model.named_parameters() if MARK in name}
        self.set_tuned(None)

    def set_tuned(self, towers: Tuned | None) -> None:
        """Let gradients reach these towers, or their bottlenecks, and nothing else (Table 5); None freezes all."""
        self._model.requires_grad_(False)
        if towers == "lift":
            _unfreeze(self._bottlenecks)
        if towers in ("image", "both"):
            _unfreeze(self.image_parameters())
        if towers in ("text", "both"):
            _unfreeze(self.text_parameters())

    def encode_images(self, images: Tensor, space: Space = "joint") -> Tensor:
        """Features f ``[B, d]`` of normalised images ``[B, 3, S, S]``; not normalised.

        Before the projection they are ``[B, p]``; for a tower without one the same as in the joint space.
        """
        images = images.contiguous(memory_format=self._memory_format)
        projection = self._projection(space)
        if projection is None:
            return self._model.encode_image(images, normalize=False)
        # The towers of captioning models give tokens as well.
        features = functional_call(self._model.visual, dict(projection.entries), images)
        return features[0] if isinstance(features, tuple) else features

    def dim(self, space: Space) -> int:
        """How many numbers a feature has there: d, or p before the projection."""
        projection = self._projection(space)
        return self.embed_dim if projection is None else len(projection.weight)

    def texts_in(self, space: Space, texts: Tensor) -> Tensor:
        """Class texts ``[K, d]`` of unit norm as directions in another space, of unit norm as well."""
        projection = self._projection(space)
        return texts if projection is None else projection.taken_back(texts)

    def _projection(self, space: Space) -> Projection | None:
        """What lies between a space and the joint one; None where nothing does."""
        return None if space == "joint" else projection_of(self._model.visual)

    def tokenize(self, prompts: Sequence[str]) -> Tensor:
        """Token ids int64 ``[P, L]``, cut behind the longest prompt where that changes nothing.

        As CLIP does, a prompt longer than the model's context loses its end.
        """
        tokens = self._tokenizer(list(prompts))
        tower = causal_text_tower(self._model)
        return tower.cut(tokens) if tower else tokens

    def encode_text(self, tokens: Tensor) -> Tensor:
        """Features ``[P, d]`` of tokens ``[P, L]`` from :meth:`tokenize`; not normalised."""
        tower = causal_text_tower(self._model)
        return tower.encode(tokens) if tower else self._model.encode_text(tokens, normalize=False)

    def tokenize_classes(self, class_names: Sequence[str], prompts: PromptSettings, seed: int) -> Tensor:
        """Token ids int64 ``[K, T, L]`` of the T prompts of each of K classes, on the backbone's device."""
        sentences = class_prompts(class_names, prompts, seed)
        tokens = self.tokenize([sentence for of_class in sentences for sentence in of_class])
        return tokens.unflatten(0, (len(class_names), -1)).to(self.device)

    def encode_class_tokens(self, tokens: Tensor) -> Tensor:
        """Class embeddings u ``[K, d]`` of unit norm from tokens ``[K, T, L]``.

        With several prompts per class: the mean of their unit vectors, brought back to unit norm. Gradients flow where
        they are enabled.
        """
        features = torch.cat([self.encode_text(batch) for batch in tokens.flatten(0, 1).split(PROMPTS_AT_ONCE)])
        per_prompt = F.normalize(features, dim=-1).unflatten(0, tokens.shape[:2])
        return F.normalize(per_prompt.mean(dim=1), dim=-1)

    def encode_classes(self, class_names: Sequence[str], prompts: PromptSettings, seed: int) -> Tensor:
        """Class embeddings u ``[K, d]`` of unit norm."""
        return self.encode_class_tokens(self.tokenize_classes(class_names, prompts, seed))

    def tower_state(self) -> dict[str, Tensor]:
        """A copy on the CPU of both towers' parameters and batch-norm statistics, ready for a safetensors file."""
        state = self._model.state_dict()
        return {
            name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
            for name, tensor in state.items()
            if tower_of(name)
        }

    def load_tower_state(self, state: dict[str, Tensor]) -> None:
        """Put back what :meth:`tower_state` gave, bottlenecks included.

        Raises BackboneError if it came from another architecture.
        """
        if not self._bottlenecks and (width := width_of(state)):
            add_bottlenecks(self._model.visual, width=width)
            self._find_bottlenecks()
        own = {name: tensor.shape for name, tensor in self._model.state_dict().items() if tower_of(name)}
        if own != {name: tensor.shape for name, tensor in state.items()}:
            raise BackboneError(f"These tower weights do not belong to the backbone {self.name}.")
        self._model.load_state_dict(state, strict=False)


def _unfreeze(parameters: dict[str, nn.Parameter]) -> None:
    for parameter in parameters.values():
        parameter.requires_grad_(True)


def load_backbone(settings: BackboneSettings, *, seed: int) -> Backbone:
    """The backbone that the settings name, on the CPU, all frozen; ``seed`` is for random towers (Table 4).

    Published weights are downloaded where they are not on this disk. Raises BackboneError, with a sentence that says
    what to do, for an unknown name, a missing or unfit file, or weights that cannot be had without a network.
    """
    source = find_source(settings)
    layout = read_layout(source)
    tokenizer = load_tokenizer(layout.model["text_cfg"], layout.folder)
    checkpoint = weights_file(source) if source.needs_weights else None
    layout = complete_layout(layout, source, checkpoint)
    model = build_model(layout, checkpoint, settings, seed=seed)
    if settings.image_size:
        resize_input(model.visual, settings.image_size)
    backbone = Backbone(
        f"{settings.name} ({source.tag})" if source.tag else settings.name,
        model,
        tokenizer,
        embed_dim=layout.model["embed_dim"],
        image_spec=image_spec(model.visual, layout.preprocess),
        temperature=settings.temperature,
    )
    _check_joint_space(backbone)
    return backbone


def _check_joint_space(backbone: Backbone) -> None:
    """Raise BackboneError unless both towers reach the joint space that the configuration promises."""
    size, dim = backbone.image_spec.size, backbone.embed_dim
    with torch.inference_mode():
        image = backbone.encode_images(torch.zeros(1, 3, size, size)).shape[1]
        text = backbone.encode_text(backbone.tokenize(["a photo"])).shape[1]
    if not image == text == dim:
        raise BackboneError(
            f"The backbone {backbone.name} does not fit its configuration: embed_dim is {dim}, but its image tower "
            f"gives {image} numbers and its text tower {text}."
        )
