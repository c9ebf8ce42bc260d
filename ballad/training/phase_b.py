"""Phase B: train balanced linear adapters on frozen features.

Knows heads, losses and samplers, and nothing of what a head computes. All members of a sweep that read the same
features train together; each ends as it would alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ballad.data.images import image_batches, to_input
from ballad.data.long_tail import Split
from ballad.events import CancelToken, EpochEvaluated, EventSink
from ballad.experiment import OptimizerSettings, PhaseBSettings
from ballad.model.adapter import Adapters
from ballad.model.backbone import Backbone
from ballad.training.features import FeatureBank
from ballad.training.objectives import similarity_logits
from ballad.training.optimizer import StackedSGD
from ballad.training.sampling import EpochSampler, split_into_batches
from ballad.training.schedule import cosine_rate, derived_seed
from ballad.training.score import Score
from ballad.training.throughput import Stopwatch


@dataclass(frozen=True)
class Member:
    """One adapter to train."""

    settings: PhaseBSettings
    seed: int


@dataclass(frozen=True)
class ValidationSet:
    """Features ``[N, d]`` of the validation split and how a prediction of its classes is scored."""

    features: np.ndarray
    score: Score


@dataclass
class TrainedAdapter:
    """The selected weights of a member, their epoch (from 1), and how the training went."""

    state: dict[str, Tensor]
    epoch: int = 0
    best: float = -1.0
    history: list[EpochEvaluated] = field(default_factory=list)


FeatureBatch = tuple[Tensor, Tensor]
"""Features ``[B, d]`` or ``[M, B, d]`` with labels ``[B]`` or ``[M, B]``, on the device."""
EpochOfFeatures = Callable[[list[Tensor], int], Iterator[FeatureBatch]]
"""Batches of image indices (``[B]`` or ``[M, B]``) and the epoch to the features they show."""


def cached_features(
    bank: FeatureBank, labels: Tensor, members: Sequence[Member], device: torch.device
) -> EpochOfFeatures:
    """Read features from a bank that lies whole on the device."""
    rows_on_device = bank.on(device)
    labels_on_device = labels.to(device)

    def epoch_of_features(batches: list[Tensor], epoch: int) -> Iterator[FeatureBatch]:
        sizes = [batch.shape[-1] for batch in batches]
        images = torch.cat(batches, dim=-1)
        generators = [torch.Generator().manual_seed(derived_seed(m.seed, "views", epoch)) for m in members]
        drawn = zip(images.view(-1, images.shape[-1]), generators, strict=False)
        rows = torch.stack([bank.rows_of(row, generator) for row, generator in drawn]).view_as(images)
        # The whole epoch goes to the device at once: no step waits for its indices.
        rows_of_batches = rows.to(device).split(sizes, dim=-1)
        images_of_batches = images.to(device).split(sizes, dim=-1)
        for batch_rows, batch_images in zip(rows_of_batches, images_of_batches, strict=True):
            yield rows_on_device[batch_rows].float(), labels_on_device[batch_images]

    return epoch_of_features


def fresh_features(
    backbone: Backbone, split: Split, settings: PhaseBSettings, seed: int, device: torch.device, workers: int
) -> EpochOfFeatures:
    """Encode freshly augmented images in every epoch, as the released code does; for one member."""

    def epoch_of_features(batches: list[Tensor], epoch: int) -> Iterator[FeatureBatch]:
        images = [batch.numpy() for batch in batches]
        view_seed = derived_seed(seed, "phase_b", "augmentation")
        loaded = image_batches(
            split,
            backbone.image_spec,
            images,
            augmentation=settings.augmentation,
            seed=view_seed,
            epoch=epoch,
            device=device,
            workers=workers,
        )
        for pixels, labels, _ in loaded:
            with torch.inference_mode():
                features = backbone.encode_images(to_input(pixels, backbone.image_spec, device)).float()
            yield features.clone(), labels.to(device)

    return epoch_of_features


def train_adapters(
    epoch_of_features: EpochOfFeatures,
    labels: Tensor,
    text_features: Tensor,
    members: Sequence[Member],
    optimizer: OptimizerSettings,
    *,
    logit_scale: float,
    validation: ValidationSet | None,
    device: torch.device,
    on_event: EventSink,
    cancel: CancelToken,
) -> list[TrainedAdapter]:
    """Train M adapters together and return each one's selected weights.

    Parameters
    ----------
    labels : int64 ``[N]`` of the training images.
    text_features : class embeddings ``[K, d]``.
    on_event : told of every step, and of the first member's epochs.
    Raises Cancelled.
    """
    shared = members[0].settings
    adapters = build_adapters(members, text_features.shape[1]).to(device)
    stepper = StackedSGD(adapters.parameters(), momentum=optimizer.momentum, weight_decay=optimizer.weight_decay)
    text_directions = F.normalize(text_features.to(device), dim=-1)
    trained = [TrainedAdapter(adapters.member_state(m)) for m in range(len(members))]
    drawing = _Drawing(labels, members)
    watch = Stopwatch(shared.epochs)
    for epoch in range(shared.epochs):
        batches = drawing.batches(epoch)
        rates = _rates(members, optimizer, epoch=epoch, steps=len(batches))
        rates_on_device = rates.to(device, torch.float32)
        losses = torch.zeros(len(members), device=device)
        for step, (features, targets) in enumerate(epoch_of_features(batches, epoch)):
            cancel.check()
            texts = F.normalize(adapters.text(text_directions), dim=-1) if adapters.adapts_text else text_directions
            logits = similarity_logits(adapters.image(features), texts, logit_scale)
            loss = _member_losses(logits, targets)
            # The sum, never the mean: members must not scale each other's gradients.
            loss.sum().backward()
            stepper.step(rates_on_device[step])
            losses += loss.detach()
            watch.count(targets.shape[-1])
            on_event(watch.progress("phase_b", epoch, step, len(batches), learning_rate=float(rates[step, 0])))
        accuracies = _validate(adapters, text_directions, validation, device)
        for m, member in enumerate(members):
            _select(trained[m], adapters, m, member, epoch, accuracies[m])
            mean_loss = float(losses[m]) / len(batches)
            trained[m].history.append(
                EpochEvaluated("phase_b", epoch + 1, mean_loss, float(rates[-1, m]), accuracies[m])
            )
        on_event(trained[0].history[-1])
    return trained


def build_adapters(members: Sequence[Member], dim: int) -> Adapters:
    """The untrained adapters of these members, stacked."""
    form = members[0].settings
    return Adapters(
        dim,
        [member.settings.residual_factor for member in members],
        [derived_seed(member.seed, "adapter") for member in members],
        placement=form.placement,
        activation=form.activation,
        bias=form.bias,
    )


class _Drawing:
    """The image indices of every member's epochs; one row for all where all draw alike."""

    def __init__(self, labels: Tensor, members: Sequence[Member]) -> None:
        self.settings = members[0].settings
        distinct = dict.fromkeys((m.settings.sampler, m.settings.images_per_draw, m.seed) for m in members)
        all_alike = len(distinct) == 1
        self.rows = (
            list(distinct) if all_alike else [(m.settings.sampler, m.settings.images_per_draw, m.seed) for m in members]
        )
        self.samplers = {
            (sampler, per_draw): EpochSampler(labels, sampler, epochs=self.settings.epochs, images_per_draw=per_draw)
            for sampler, per_draw, _ in distinct
        }

    def batches(self, epoch: int) -> list[Tensor]:
        """Index batches ``[B]``, or ``[M, B]`` where members draw differently."""
        drawn = torch.stack(
            [
                self.samplers[sampler, per_draw].draw(epoch, derived_seed(seed, "phase_b", sampler, epoch))
                for sampler, per_draw, seed in self.rows
            ]
        )
        batches = split_into_batches(drawn.T, self.settings.batch_size, drop_last=self.settings.drop_last)
        return [batch.T.contiguous() if len(self.rows) > 1 else batch[:, 0] for batch in batches]


def _rates(members: Sequence[Member], optimizer: OptimizerSettings, *, epoch: int, steps: int) -> Tensor:
    """Learning rates of an epoch, ``[steps, M]`` on the CPU."""
    epochs, by = members[0].settings.epochs, optimizer.cosine_by
    decay = [cosine_rate(1.0, epoch=epoch, epochs=epochs, step=step, steps=steps, by=by) for step in range(steps)]
    bases = [member.settings.learning_rate for member in members]
    return torch.tensor(decay, dtype=torch.double)[:, None] * torch.tensor(bases, dtype=torch.double)


def _member_losses(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of each member: ``[M, B, K]`` with ``[B]`` or ``[M, B]`` to ``[M]``."""
    targets = targets.expand(logits.shape[:2])
    losses = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return losses.view(logits.shape[:2]).mean(1)


@torch.inference_mode()
def _validate(
    adapters: Adapters, text_directions: Tensor, validation: ValidationSet | None, device: torch.device
) -> list[dict[str, float | None]]:
    count = len(adapters.residual_factors)
    if validation is None:
        return [{} for _ in range(count)]
    texts = F.normalize(adapters.text(text_directions), dim=-1)
    predicted = []
    for chunk in torch.from_numpy(np.array(validation.features)).split(2048):
        logits = similarity_logits(adapters.image(chunk.to(device).float()), texts, 1.0)
        predicted.append(logits.argmax(-1).cpu())
    return [validation.score(member.numpy()) for member in torch.cat(predicted, dim=1)]


def _select(
    trained: TrainedAdapter, adapters: Adapters, m: int, member: Member, epoch: int, accuracy: dict[str, float | None]
) -> None:
    score = accuracy.get("all")
    if member.settings.selection == "best" and score is not None:
        if score <= trained.best:
            return
        trained.best = score
    elif epoch + 1 < member.settings.epochs:
        return
    trained.state, trained.epoch = adapters.member_state(m), epoch + 1
