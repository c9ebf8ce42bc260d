"""What one model makes of image features: logits over the classes, and the space in which it compares them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load_file
from torch import Tensor

from ballad.experiment import Experiment
from ballad.heads.head import Context, Head, State, state_of_members
from ballad.similarity import similarity_logits
from ballad.stages.artifacts import read_search
from ballad.training.phase_b import Member, head_of


@dataclass(frozen=True)
class Classifier:
    """Similarity with the class texts (Eq. 1), or the output of a trained head, the only member of its stack."""

    context: Context
    head: Head | None = None
    state: State = field(default_factory=dict)

    @classmethod
    def with_head(cls, context: Context, file: Path, experiment: Experiment) -> Self:
        """With the head of this experiment that was kept in the stage folder of ``file``."""
        settings, search = experiment.phase_b, read_search(file.parent)
        if search is not None:
            settings = settings.at(search["points"][search["chosen"]]["values"])
        head = head_of([Member(settings, experiment.adapter_seed)])
        return cls(context, head, state_of_members([load_file(file)], context.texts.device))

    @torch.inference_mode()
    def logits(self, features: Tensor) -> Tensor:
        """Features ``[N, d]``, not normalised, to ``[N, K]``."""
        if self.head is None:
            return similarity_logits(features, self.context.texts, self.context.logit_scale)
        return self.head.scores(self.state, features, self.context)[0]

    @torch.inference_mode()
    def embed(self, features: Tensor) -> Tensor:
        """Features ``[N, d]`` as they are compared, not normalised."""
        return features if self.head is None else self.head.embed(self.state, features, self.context)[0]

    @torch.inference_mode()
    def class_points(self) -> Tensor:
        """What they are compared with, ``[K, d]``, not normalised."""
        return self.context.texts if self.head is None else self.head.class_points(self.state, self.context)[0]
