"""Phase B: train heads on frozen features.

Knows the protocol of heads, and nothing of what a head computes. All members of a sweep that read the same features
train together; each ends as it would alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ballad.data.images import image_batches, to_input
from ballad.data.long_tail import Split
from ballad.errors import RunError
from ballad.events import CancelToken, EpochEvaluated, EventSink
from ballad.heads.head import ADJUSTMENT, Context, Head, State, TrainingData, member_state
from ballad.heads.parts import log_priors
from ballad.model.backbone import Backbone
from ballad.schedules import PHASE_B
from ballad.sections import OptimizerSettings, PhaseBSettings
from ballad.training.features import FeatureBank
from ballad.training.finite import check_loss, check_weights
from ballad.training.optimizer import head_optimizer
from ballad.training.sampling import EpochSampler, split_into_batches
from ballad.training.schedule import cosine_rate, derived_seed
from ballad.training.score import Score
from ballad.training.throughput import Stopwatch

CHUNK = 2048
"""Images at a time outside training."""


@dataclass(frozen=True)
class Member:
    """One head to train."""

    settings: PhaseBSettings
    seed: int


@dataclass(frozen=True)
class ValidationSet:
    """Features ``[N, d]`` of the validation split and how a prediction of its classes is scored."""

    features: np.ndarray
    score: Score


@dataclass
class TrainedHead:
    """The selected state of a member, their epoch (from 1), and how the training went.

    error : what is wrong with a member that diverged, which has nothing to hand on.
    """

    state: State
    epoch: int = 0
    best: float = -1.0
    accuracy: dict[str, float | None] = field(default_factory=dict)
    """Of the selected state, on validation."""
    history: list[EpochEvaluated] = field(default_factory=list)
    error: RunError | None = None


def head_of(members: Sequence[Member]) -> Head:
    """These members, stacked."""
    options = [member.settings.head_options for member in members]
    return members[0].settings.head(options, [derived_seed(member.seed, "adapter") for member in members])


def adjustment_of(members: Sequence[Member], data: TrainingData, device: torch.device) -> State:
    """The entry that adjusts the members' logits after training; none where no member asks for it."""
    strengths = torch.tensor([member.settings.adjustment for member in members])
    if not strengths.any():
        return {}
    return {ADJUSTMENT: (strengths[:, None, None] * log_priors(data)).to(device)}


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
                inputs = to_input(pixels, backbone.image_spec, device)
                features = backbone.encode_images(inputs, settings.head.reads).float()
            yield features.clone(), labels.to(device)

    return epoch_of_features


def training_features(
    bank: FeatureBank, labels: Tensor, device: torch.device, *, averaged: bool
) -> Iterator[FeatureBatch]:
    """All training images in chunks, for heads that start from them: plain views, or means over the stored views."""
    for start in range(0, len(labels), CHUNK):
        stop = min(start + CHUNK, len(labels))
        if averaged and len(bank.augmented):
            features = bank.mean_views(start, stop).to(device)
        else:
            features = torch.from_numpy(np.array(bank.plain[start:stop])).to(device).float()
        yield features, labels[start:stop].to(device)


def train_heads(
    epoch_of_features: EpochOfFeatures,
    labels: Tensor,
    context: Context,
    members: Sequence[Member],
    optimizer: OptimizerSettings,
    *,
    bank: FeatureBank | None,
    validation: ValidationSet | None,
    device: torch.device,
    on_event: EventSink,
    cancel: CancelToken,
) -> list[TrainedHead]:
    """Train M heads of one method together and return each one's selected state; one that diverges stops no other.

    Parameters
    ----------
    labels : int64 ``[N]`` of the training images.
    context : class embeddings ``[K, d]`` of unit norm and their scale, on the device.
    bank : the training features, where they are stored.
    on_event : told of every step, and of the first member's epochs.
    Raises Cancelled.
    """
    shared, head = members[0].settings, head_of(members)
    averaged = head.averages_views
    chunks = None if bank is None else partial(training_features, bank, labels, device, averaged=averaged)
    data = TrainingData(torch.bincount(labels, minlength=len(context.texts)), shared.epochs, chunks)
    state = {name: tensor.to(device) for name, tensor in head.start(context, data).items()}
    state |= adjustment_of(members, data, device)
    stepper = head_optimizer(head.optimizer, state.values(), optimizer)
    trained = [TrainedHead(member_state(state, m)) for m in range(len(members))]
    if not head.learns:
        for one, accuracy in zip(trained, _validate(head, state, context, validation), strict=True):
            one.accuracy = accuracy
        return trained
    drawing = _Drawing(labels, members)
    watch = Stopwatch(shared.epochs)
    for epoch in range(shared.epochs):
        for name, tensor in state.items():
            tensor.requires_grad_(head.is_trained(name, epoch / shared.epochs))
        batches = drawing.batches(epoch)
        rates = _rates(members, optimizer, epoch=epoch, steps=len(batches))
        rates_on_device = rates.to(device, torch.float32)
        losses = torch.zeros(len(batches), len(members), device=device)
        for step, (features, targets) in enumerate(epoch_of_features(batches, epoch)):
            cancel.check()
            progress = (epoch + step / len(batches)) / shared.epochs
            loss = head.loss(state, features, targets, context, progress)
            # The sum, never the mean: members must not scale each other's gradients.
            loss.sum().backward()
            stepper.step(rates_on_device[step])
            losses[step] = loss.detach()
            watch.count(targets.shape[-1])
            on_event(watch.progress("phase_b", epoch, step, len(batches), learning_rate=float(rates[step, 0])))
        accuracies = _validate(head, state, context, validation)
        for m, (member, losses_of_steps) in enumerate(zip(members, losses.T.tolist(), strict=True)):
            _note_divergence(trained[m], losses_of_steps, state, m, member, epoch)
            if trained[m].error is not None:
                continue
            _select(trained[m], state, m, member, epoch, accuracies[m])
            mean_loss = sum(losses_of_steps) / len(batches)
            trained[m].history.append(
                EpochEvaluated("phase_b", epoch + 1, mean_loss, float(rates[-1, m]), accuracies[m])
            )
        if trained[0].error is None:
            on_event(trained[0].history[-1])
        if all(head.error is not None for head in trained):
            break
    return trained


def _note_divergence(
    trained: TrainedHead, losses: Sequence[float], state: State, m: int, member: Member, epoch: int
) -> None:
    """Keep the error of a member whose losses or trained weights are not finite; the first one counts."""
    rate = member.settings.learning_rate
    try:
        for step, loss in enumerate(losses):
            check_loss(loss, PHASE_B.name, epoch=epoch, step=step, rate=rate)
        weights = {name: tensor[m] for name, tensor in state.items() if tensor.requires_grad}
        check_weights(weights, PHASE_B.name, epoch=epoch, rate=rate)
    except RunError as error:
        trained.error = trained.error or error


class _Drawing:
    """The image indices of every member's epochs; one row for all where all draw alike."""

    def __init__(self, labels: Tensor, members: Sequence[Member]) -> None:
        self.settings = members[0].settings
        rows = [(m.settings.sampler, m.settings.images_per_draw, m.seed) for m in members]
        self.labels = labels
        self.options = self.settings.head_options
        self.rows = rows[:1] if len(set(rows)) == 1 else rows
        self.samplers: dict[tuple[str, int], EpochSampler] = {}

    def batches(self, epoch: int) -> list[Tensor]:
        """Index batches ``[B]``, or ``[M, B]`` where members draw differently."""
        drawn = torch.stack([self._epoch_of_row(*row, epoch) for row in self.rows])
        batches = split_into_batches(drawn.T, self.settings.batch_size, drop_last=self.settings.drop_last)
        return [batch.T.contiguous() if len(self.rows) > 1 else batch[:, 0] for batch in batches]

    def _epoch_of_row(self, chosen: str, images_per_draw: int, seed: int, epoch: int) -> Tensor:
        epochs = self.settings.epochs
        sampler = self.settings.head.sampler(self.options, chosen, epoch / epochs)
        if (sampler, images_per_draw) not in self.samplers:
            self.samplers[sampler, images_per_draw] = EpochSampler(
                self.labels, sampler, epochs=epochs, images_per_draw=images_per_draw
            )
        return self.samplers[sampler, images_per_draw].draw(epoch, derived_seed(seed, "phase_b", sampler, epoch))


def _rates(members: Sequence[Member], optimizer: OptimizerSettings, *, epoch: int, steps: int) -> Tensor:
    """Learning rates of an epoch, ``[steps, M]`` on the CPU."""
    epochs, by = members[0].settings.epochs, optimizer.cosine_by
    decay = [cosine_rate(1.0, epoch=epoch, epochs=epochs, step=step, steps=steps, by=by) for step in range(steps)]
    bases = [member.settings.learning_rate for member in members]
    return torch.tensor(decay, dtype=torch.double)[:, None] * torch.tensor(bases, dtype=torch.double)


@torch.inference_mode()
def _validate(
    head: Head, state: State, context: Context, validation: ValidationSet | None
) -> list[dict[str, float | None]]:
    if validation is None:
        return [{} for _ in range(head.members)]
    device = context.texts.device
    predicted = []
    for chunk in torch.from_numpy(np.array(validation.features)).split(CHUNK):
        predicted.append(head.scores(state, chunk.to(device).float(), context).argmax(-1).cpu())
    return [validation.score(member.numpy()) for member in torch.cat(predicted, dim=1)]


def _select(
    trained: TrainedHead, state: State, m: int, member: Member, epoch: int, accuracy: dict[str, float | None]
) -> None:
    score = accuracy.get("all")
    if member.settings.selection == "best" and score is not None:
        if score <= trained.best:
            return
        trained.best = score
    elif epoch + 1 < member.settings.epochs:
        return
    trained.state, trained.epoch, trained.accuracy = member_state(state, m), epoch + 1, accuracy
