"""Phase A: continue contrastive training of the towers; and joint training, which adds the head to it."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from ballad.data.images import image_batches
from ballad.data.long_tail import LongTailDataset, Split
from ballad.errors import Cancelled, RunError
from ballad.events import CancelToken, EpochEvaluated, EventSink, Notice
from ballad.experiment import Experiment
from ballad.sections import Augmentation
from ballad.training.checkpoint import Checkpoint, DamagedCheckpoint
from ballad.training.finite import check_loss, check_weights
from ballad.training.gradients import accumulate_gradients
from ballad.training.optimizer import tower_optimizer
from ballad.training.sampling import EpochSampler, split_into_batches
from ballad.training.schedule import cosine_rate, derived_seed
from ballad.training.score import Score
from ballad.training.throughput import Stopwatch
from ballad.training.tuned_model import TunedModel

SECONDS_BETWEEN_CHECKPOINTS = 180.0
VALIDATION_BATCH = 256
RESUMED_VALUES = ("epoch", "step", "loss_sum", "rate", "best", "micro_batch")


class TowerTraining:
    """Trains ``model`` in place.

    A checkpoint after each epoch, and every few minutes within one, lets a training that was cut off continue and
    end with the same numbers: all randomness comes from (seed, epoch, position), none from what was drawn before.

    Parameters
    ----------
    folder : where checkpoints are kept.
    score : turns predicted classes of the validation split ``[N]`` into accuracies in percent.
    """

    def __init__(
        self,
        model: TunedModel,
        dataset: LongTailDataset,
        experiment: Experiment,
        *,
        folder: Path,
        score: Score,
        on_event: EventSink,
        cancel: CancelToken,
    ) -> None:
        self.model, self.dataset, self.experiment = model, dataset, experiment
        self.settings = experiment.phase_a
        self.phase = "phase_a" if model.head is None else "joint"
        self.score, self.on_event, self.cancel = score, on_event, cancel
        self.checkpoint_path = folder / "checkpoint.safetensors"
        self.best_path = folder / "best.safetensors"
        self.optimizer = self._build_optimizer()
        self.watch = Stopwatch(self.settings.epochs)
        self.epoch, self.step, self.loss_sum, self.rate, self.best = 0, 0, 0.0, 0.0, -1.0
        self.history: list[EpochEvaluated] = []
        self.micro_batch = self.settings.micro_batch or self.settings.batch_size

    def run(self) -> None:
        """Train to the end, from the last checkpoint if there is one; leave the selected weights in the model.

        Raises DataError for an unreadable image, RunError when a loss or weight is not finite or when one image alone
        does not fit the device, and Cancelled.
        """
        self._restore()
        sampler = EpochSampler(
            torch.from_numpy(self.dataset.train.labels),
            self.settings.sampler,
            epochs=self.settings.epochs,
            images_per_draw=self.settings.images_per_draw,
        )
        self.watch.resume()
        try:
            while self.epoch < self.settings.epochs:
                self._train_epoch(sampler)
                self._finish_epoch()
        except Cancelled:
            self._save()
            raise
        if self.settings.selection == "best" and self.best_path.exists():
            self._load_weights(Checkpoint.load(self.best_path).tensors)

    def _train_epoch(self, sampler: EpochSampler) -> None:
        seed = derived_seed(self.experiment.seed, self.phase, self.settings.sampler, self.epoch)
        drawn = sampler.draw(self.epoch, seed)
        batches = split_into_batches(drawn, self.settings.batch_size, drop_last=self.settings.drop_last)
        saved = time.monotonic()
        for pixels, labels in self._training_images(batches):
            self.cancel.check()
            self._set_rates(steps=len(batches))
            loss = self._train_step(pixels, labels.to(self.model.device))
            check_loss(loss, self.phase, epoch=self.epoch, step=self.step, rate=self.settings.learning_rate)
            self.loss_sum += loss
            self.step += 1
            self.watch.count(len(pixels))
            self._report_step(steps=len(batches))
            if time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                self._save()
                saved = time.monotonic()

    def _train_step(self, pixels: Tensor, labels: Tensor) -> float:
        """One update from one batch; returns its mean loss. Halves the micro-batch where memory runs out."""
        while True:
            self.optimizer.zero_grad(set_to_none=True)
            try:
                loss = accumulate_gradients(self.model, pixels, labels, self.settings.objective, self.micro_batch)
                break
            except torch.OutOfMemoryError:
                self._halve_micro_batch()
        self.optimizer.step()
        return loss

    def _finish_epoch(self) -> None:
        self.watch.pause()
        check_weights(self._weights(), self.phase, epoch=self.epoch, rate=self.settings.learning_rate)
        accuracy = self._validate()
        self.history.append(EpochEvaluated(self.phase, self.epoch + 1, self.loss_sum / self.step, self.rate, accuracy))
        self.on_event(self.history[-1])
        score = accuracy.get("all")
        if self.settings.selection == "best" and score is not None and score > self.best:
            self.best = score
            Checkpoint(self._weights(), {}).save(self.best_path)
        self.epoch, self.step, self.loss_sum = self.epoch + 1, 0, 0.0
        self._save()
        self.watch.resume()

    @torch.inference_mode()
    def _validate(self) -> dict[str, float | None]:
        if self.dataset.val is None:
            return {}
        text = self.model.text()
        order = torch.arange(len(self.dataset.val))
        predicted = []
        for pixels, _ in self._images(self.dataset.val, list(order.split(VALIDATION_BATCH))):
            self.cancel.check()
            predicted.append(self.model.logits(self.model.encode_images(pixels), text).argmax(-1).cpu())
        return self.score(torch.cat(predicted).numpy())

    def _training_images(self, batches: list[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        return self._images(self.dataset.train, batches, augmentation=self.settings.augmentation, first_batch=self.step)

    def _images(
        self, split: Split, batches: list[Tensor], *, augmentation: Augmentation = "none", first_batch: int = 0
    ) -> Iterator[tuple[Tensor, Tensor]]:
        loaded = image_batches(
            split,
            self.model.backbone.image_spec,
            [batch.numpy() for batch in batches],
            augmentation=augmentation,
            seed=derived_seed(self.experiment.seed, self.phase, "augmentation"),
            epoch=self.epoch,
            first_batch=first_batch,
            device=self.model.device,
            workers=self.experiment.runtime.workers,
            cancel=self.cancel,
        )
        for pixels, labels, _ in loaded:
            yield pixels, labels

    def _report_step(self, steps: int) -> None:
        self.on_event(
            self.watch.progress(
                self.phase,
                self.epoch,
                self.step - 1,
                steps,
                loss=self.loss_sum / self.step,
                learning_rate=self.rate,
                device=self.model.device,
            )
        )

    def _halve_micro_batch(self) -> None:
        if self.micro_batch == 1:
            raise RunError(
                f"Not even one image fits in the memory of {self.model.device}; "
                "choose a smaller backbone or image size."
            )
        self.micro_batch = -(-min(self.micro_batch, self.settings.batch_size) // 2)
        torch.cuda.empty_cache()
        self.on_event(
            Notice(
                f"Out of memory on {self.model.device}: continuing with {self.micro_batch} images at a time; "
                f"gradients accumulate to batches of {self.settings.batch_size}, so results do not change."
            )
        )

    # Rates, weights and checkpoints

    def _build_optimizer(self) -> torch.optim.SGD:
        groups = [{"params": list(self.model.towers.values()), "base": self.settings.learning_rate}]
        if self.model.head is not None:
            rate = self.experiment.phase_b.learning_rate
            groups.append({"params": list(self.model.head_parameters().values()), "base": rate})
        return tower_optimizer(groups, self.experiment.optimizer)

    def _set_rates(self, steps: int) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = cosine_rate(
                group["base"],
                epoch=self.epoch,
                epochs=self.settings.epochs,
                step=self.step,
                steps=steps,
                by=self.experiment.optimizer.cosine_by,
            )
        self.rate = self.optimizer.param_groups[0]["lr"]

    def _weights(self) -> dict[str, Tensor]:
        return {name: parameter.detach() for name, parameter in self.model.parameters().items()}

    @torch.no_grad()
    def _load_weights(self, weights: dict[str, Tensor]) -> None:
        for name, parameter in self.model.parameters().items():
            parameter.copy_(weights[name])

    def _save(self) -> None:
        momentum = {
            f"momentum:{name}": self.optimizer.state[parameter]["momentum_buffer"]
            for name, parameter in self.model.parameters().items()
            if "momentum_buffer" in self.optimizer.state[parameter]
        }
        state = {name: getattr(self, name) for name in RESUMED_VALUES}
        state["history"] = [asdict(event) for event in self.history]
        Checkpoint({**self._weights(), **momentum}, state).save(self.checkpoint_path)

    def _restore(self) -> None:
        if not self.checkpoint_path.exists():
            return
        try:
            checkpoint = Checkpoint.load(self.checkpoint_path)
        except DamagedCheckpoint:
            self.on_event(Notice("The checkpoint of the previous attempt is damaged; training starts over."))
            return
        self._load_weights(checkpoint.tensors)
        for name, parameter in self.model.parameters().items():
            if f"momentum:{name}" in checkpoint.tensors:
                buffer = checkpoint.tensors[f"momentum:{name}"].to(self.model.device)
                # The optimizer adopts the layout that the parameter has, which the file does not keep.
                self.optimizer.state[parameter]["momentum_buffer"] = torch.empty_like(parameter).copy_(buffer)
        for name in RESUMED_VALUES:
            setattr(self, name, checkpoint.state[name])
        self.history = [EpochEvaluated(**event) for event in checkpoint.state["history"]]
        for event in self.history:
            self.on_event(event)
