"""The model that Phase A trains: the towers, the class texts, and in joint training the adapter."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ballad.data.images import to_input
from ballad.data.long_tail import LongTailDataset
from ballad.experiment import Experiment
from ballad.model.adapter import Adapters
from ballad.model.backbone import Backbone
from ballad.training.compilation import compiled
from ballad.training.objectives import similarity_logits
from ballad.training.phase_b import Member, build_adapters


class TunedModel:
    """Similarity logits of images and all class texts, with gradients for exactly what the settings tune.

    A frozen text tower is encoded once; frozen towers never enter autograd.

    Parameters
    ----------
    joint : put the adapter of ``experiment.phase_b`` on the towers and train it along.
    """

    def __init__(
        self, backbone: Backbone, dataset: LongTailDataset, experiment: Experiment, *, joint: bool, device: torch.device
    ) -> None:
        self.backbone, self.device = backbone, device
        self.settings = experiment.phase_a
        backbone.set_tuned(self.settings.tuned)
        parameters = {**backbone.image_parameters(), **backbone.text_parameters()}
        self.towers = {name: parameter for name, parameter in parameters.items() if parameter.requires_grad}
        self.adapter: Adapters | None = None
        if joint:
            member = Member(experiment.phase_b, experiment.adapter_seed)
            self.adapter = build_adapters([member], backbone.embed_dim).to(device)
        self._encode = compiled(backbone.encode_images) if experiment.runtime.compile else backbone.encode_images
        self.tokens = backbone.tokenize_classes(dataset.class_names, experiment.prompts, experiment.seed)
        self.tunes_images = self.settings.tuned != "text"
        self.frozen_text = self._encode_text().detach() if self.settings.tuned == "image" else None

    def parameters(self) -> dict[str, nn.Parameter]:
        """Everything that is trained, by name."""
        adapter = {} if self.adapter is None else dict(self.adapter.named_parameters(prefix="adapter"))
        return {**self.towers, **adapter}

    def encode_images(self, pixels: Tensor) -> Tensor:
        """Pixels uint8 ``[B, S, S, 3]`` to features ``[B, d]``, fp32."""
        inputs = to_input(pixels, self.backbone.image_spec, self.device)
        with torch.set_grad_enabled(self.tunes_images and torch.is_grad_enabled()), self._autocast():
            return self._encode(inputs).float()

    def text(self) -> Tensor:
        """Unit class embeddings ``[K, d]``, fp32."""
        return self._encode_text() if self.frozen_text is None else self.frozen_text

    def logits(self, features: Tensor, text: Tensor) -> Tensor:
        """Features ``[B, d]`` and unit class embeddings ``[K, d]`` to logits ``[B, K]``."""
        scale = self.backbone.logit_scale
        if self.adapter is None:
            return similarity_logits(features, text, scale)
        adapted_text = F.normalize(self.adapter.text(text), dim=-1)
        return similarity_logits(self.adapter.image(features), adapted_text, scale)[0]

    def _encode_text(self) -> Tensor:
        with self._autocast():
            return self.backbone.encode_class_tokens(self.tokens).float()

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.precision == "bf16")
