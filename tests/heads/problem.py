"""A small long-tailed problem in a joint space of eight dimensions."""

from typing import Any

import torch
from torch import Tensor

from ballad.heads import HEADS
from ballad.heads.head import Context, Head, State, TrainingData

COUNTS = (30, 15, 9, 3)
CLASSES, DIM = len(COUNTS), 8


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


LABELS = torch.repeat_interleave(torch.arange(CLASSES), torch.tensor(COUNTS))
CENTRES = torch.randn(CLASSES, DIM, generator=_generator())
FEATURES = (CENTRES[LABELS] + 0.8 * torch.randn(len(LABELS), DIM, generator=_generator())) * 3
CONTEXT = Context(torch.nn.functional.normalize(CENTRES + 0.5, dim=-1), 20.0)


def chunks() -> Any:
    """All training features, in chunks that are not all as long."""
    yield from zip(FEATURES.split(25), LABELS.split(25), strict=True)


DATA = TrainingData(torch.tensor(COUNTS), epochs=4, chunks=chunks)


def heads_of(name: str, *options: dict[str, Any], seeds: tuple[int, ...] | None = None) -> Head:
    """One member for each of these ``options``."""
    method = HEADS[name]
    given = options or ({},)
    return method([method.Options.model_validate(values) for values in given], seeds or tuple(range(len(given))))


def started(name: str, *options: dict[str, Any]) -> tuple[Head, State]:
    """Heads and the state before their first step."""
    head = heads_of(name, *options)
    return head, head.start(CONTEXT, DATA)


def zero_shot(features: Tensor) -> Tensor:
    """Logits of the class texts, written out."""
    return CONTEXT.logit_scale * torch.nn.functional.normalize(features, dim=-1) @ CONTEXT.texts.T
