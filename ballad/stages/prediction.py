"""Classify new pictures with a finished run: zero-shot, Phase A and BALLAD side by side."""

from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file

from ballad.analysis.predictions import ranked
from ballad.data.decoding import open_rgb
from ballad.data.images import evaluation_view, to_input
from ballad.model.backbone import Backbone, load_backbone
from ballad.schedules import ZERO_SHOT, Model
from ballad.stages.artifacts import TOWERS
from ballad.stages.feature_spaces import FeatureSpace
from ballad.stages.pipeline import find_device
from ballad.stages.run_folder import RunFolder
from ballad.stages.stage_store import StageStore

Ranked = list[tuple[str, float]]
"""Class names with their probabilities, the most probable first."""


class Predictor:
    """The models of one finished run, ready for pictures.

    Raises RunError if the run is not finished, or if its stages were removed.
    """

    def __init__(self, home: Path, run_id: str, *, device: str = "auto") -> None:
        folder = RunFolder.of(home, run_id)
        self.plan = folder.plan()
        self.class_names = folder.class_names()
        self.device = find_device(device)
        self._stages = StageStore(home)
        self.spaces = {model: FeatureSpace(self.plan, model, self._stages, self.device) for model in self.plan.models}
        self._backbones: dict[str | None, Backbone] = {}
        self._training: dict[Model, torch.Tensor] = {}

    def predict(self, path: Path, *, top: int = 5) -> dict[Model, Ranked]:
        """The most probable classes of a picture by each model. Raises DataError if it cannot be read."""
        return self.predict_image(open_rgb(path), top=top)

    def predict_image(self, image: Image.Image, *, top: int = 5) -> dict[Model, Ranked]:
        """As :meth:`predict`, of a picture in memory."""
        return {model: self._rank(self.features(model, image), model, top) for model in self.plan.models}

    @torch.inference_mode()
    def nearest(self, model: Model, image: Image.Image, count: int) -> list[tuple[int, float]]:
        """The training pictures most similar to a picture in the space of ``model``: index and cosine, best first.

        Empty where the run kept no features of its training pictures.
        """
        space = self.spaces[model]
        if not space.has_images("train"):
            return []
        features = space.classifier.embed(self.features(model, image))
        similarity = self._training_directions(model) @ F.normalize(features, dim=-1)[0].cpu()
        best = similarity.topk(min(count, len(similarity)))
        return list(zip(best.indices.tolist(), best.values.tolist(), strict=True))

    @torch.inference_mode()
    def features(self, model: Model, image: Image.Image) -> torch.Tensor:
        """The picture's features ``[1, d]`` before any head, fp32."""
        backbone = self._backbone(model)
        pixels = torch.tensor(evaluation_view(image, backbone.image_spec))[None]
        inputs = to_input(pixels, backbone.image_spec, self.device)
        return backbone.encode_images(inputs, self.plan.space(model)).float()

    @torch.inference_mode()
    def _rank(self, features: torch.Tensor, model: Model, top: int) -> Ranked:
        probabilities, classes = ranked(self.spaces[model].classifier.logits(features), top)
        named = zip(probabilities[0].tolist(), classes[0].tolist(), strict=True)
        return [(self.class_names[k], probability) for probability, k in named]

    def _training_directions(self, model: Model) -> torch.Tensor:
        """Unit features of the training pictures, ``[N, d]``."""
        if model not in self._training:
            self._training[model] = F.normalize(torch.from_numpy(self.spaces[model].image_features("train")), dim=-1)
        return self._training[model]

    def _backbone(self, model: Model) -> Backbone:
        towers = None if model == ZERO_SHOT else self.plan.towers()
        key = None if towers is None else towers.key
        if key not in self._backbones:
            experiment = self.plan.experiment
            backbone = load_backbone(experiment.backbone, seed=experiment.seed).to(self.device)
            if towers is not None:
                backbone.load_tower_state(load_file(self._stages.kept(towers) / TOWERS))
            self._backbones[key] = backbone
        return self._backbones[key]
