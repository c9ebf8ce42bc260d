"""Images per second and time remaining, for progress events."""

import time

import torch

from ballad.events import Progress


class Stopwatch:
    """Counts the images of a phase while it trains; pauses (validation, checkpoints) do not count."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.images = 0
        self.steps = 0
        self.seconds = 0.0
        self._resumed = time.monotonic()

    def count(self, images: int) -> None:
        self.images += images
        self.steps += 1

    def pause(self) -> None:
        self.seconds += time.monotonic() - self._resumed

    def resume(self) -> None:
        self._resumed = time.monotonic()

    def progress(
        self,
        phase: str,
        epoch: int,
        step: int,
        steps: int,
        *,
        loss: float | None = None,
        learning_rate: float | None = None,
        device: torch.device | None = None,
    ) -> Progress:
        """The event after step ``step`` of epoch ``epoch``, both from 0."""
        seconds = self.seconds + time.monotonic() - self._resumed
        steps_to_go = self.epochs * steps - (epoch * steps + step + 1)
        memory = torch.cuda.max_memory_allocated(device) if device and device.type == "cuda" else None
        return Progress(
            phase,
            epoch + 1,
            self.epochs,
            step + 1,
            steps,
            loss=loss,
            learning_rate=learning_rate,
            images_per_second=self.images / max(seconds, 1e-9),
            eta_seconds=steps_to_go * seconds / max(self.steps, 1),
            device_memory_bytes=memory,
        )
