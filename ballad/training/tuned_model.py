"""The model that Phase A trains: the towers, the class texts, and in joint training the head."""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from ballad.data.images import to_input
from ballad.data.long_tail import LongTailDataset
from ballad.experiment import Experiment
from ballad.heads.head import Context, Head, State, TrainingData
from ballad.model.backbone import Backbone
from ballad.similarity import similarity_logits
from ballad.spaces import Space
from ballad.training.compilation import compiled
from ballad.training.phase_b import Member, head_of
from ballad.training.schedule import derived_seed


def add_lift(backbone: Backbone, experiment: Experiment, classes: int) -> None:
    """Put LIFT's bottlenecks, as they start in this experiment, into the image tower."""
    backbone.add_bottlenecks(classes, derived_seed(experiment.seed, "lift"))


class TunedModel:
    """Similarity logits of images and all class texts, with gradients for exactly what the settings tune.

    A frozen text tower is encoded once; frozen towers never enter autograd.

    Parameters
    ----------
    joint : put the head of ``experiment.phase_b`` on the towers and train it along.
    """

    def __init__(
        self, backbone: Backbone, dataset: LongTailDataset, experiment: Experiment, *, joint: bool, device: torch.device
    ) -> None:
        self.backbone, self.device = backbone, device
        self.settings = experiment.phase_a
        if self.settings.tuned == "lift":
            add_lift(backbone, experiment, len(dataset.class_names))
        backbone.set_tuned(self.settings.tuned)
        parameters = {**backbone.image_parameters(), **backbone.text_parameters()}
        self.towers = {name: parameter for name, parameter in parameters.items() if parameter.requires_grad}
        self.head: Head | None = None
        self.state: State = {}
        self.space: Space = experiment.phase_b.head.reads if joint else "joint"
        encode = partial(backbone.encode_images, space=self.space)
        self._encode = compiled(encode) if experiment.runtime.compile else encode
        self.tokens = backbone.tokenize_classes(dataset.class_names, experiment.prompts, experiment.seed)
        self.tunes_images = self.settings.tuned != "text"
        self.frozen_text = self._encode_text().detach() if self.settings.tuned in ("image", "lift") else None
        if joint:
            self._start_head(Member(experiment.phase_b, experiment.adapter_seed), dataset)

    def parameters(self) -> dict[str, Tensor]:
        """Everything that is trained, by name."""
        return {**self.towers, **{f"adapter.{name}": tensor for name, tensor in self.head_parameters().items()}}

    def head_parameters(self) -> dict[str, Tensor]:
        """What the head trains, by name."""
        return {name: tensor for name, tensor in self.state.items() if tensor.requires_grad}

    def encode_images(self, pixels: Tensor) -> Tensor:
        """Pixels uint8 ``[B, S, S, 3]`` to features ``[B, d]``, fp32."""
        inputs = to_input(pixels, self.backbone.image_spec, self.device)
        with torch.set_grad_enabled(self.tunes_images and torch.is_grad_enabled()), self._autocast():
            return self._encode(inputs).float()

    def text(self) -> Tensor:
        """Unit class embeddings ``[K, d]``, fp32, in the space of the images' features."""
        return self._encode_text() if self.frozen_text is None else self.frozen_text

    def logits(self, features: Tensor, text: Tensor) -> Tensor:
        """Features ``[B, d]`` and unit class embeddings ``[K, d]`` to logits ``[B, K]``."""
        scale = self.backbone.logit_scale
        if self.head is None:
            return similarity_logits(features, text, scale)
        return self.head.logits(self.state, features, Context(text, scale))[0]

    def training_logits(self, features: Tensor, text: Tensor) -> Tensor:
        """What the objective sees in place of :meth:`logits`: a head may shift them by priors."""
        if self.head is None:
            return self.logits(features, text)
        return self.head.training_logits(self.state, features, Context(text, self.backbone.logit_scale))[0]

    @torch.no_grad()
    def _start_head(self, member: Member, dataset: LongTailDataset) -> None:
        self.head = head_of([member])
        context = Context(self.text().detach(), self.backbone.logit_scale)
        data = TrainingData(torch.from_numpy(np.array(dataset.class_counts)), self.settings.epochs)
        for name, tensor in self.head.start(context, data).items():
            self.state[name] = tensor.to(self.device).requires_grad_(self.head.is_trained(name, progress=0.0))

    def _encode_text(self) -> Tensor:
        with self._autocast():
            texts = self.backbone.encode_class_tokens(self.tokens)
            return self.backbone.texts_in(self.space, texts).float()

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.precision == "bf16")
