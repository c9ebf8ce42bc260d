"""Training progress in the shell."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from ballad import events
from ballad.events import Event
from ballad.schedules import phase_title


class ShellProgress:
    """Shows events on stderr: one bar per phase, one line per epoch. A context manager and an event sink."""

    def __init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "ShellProgress":
        self._bars.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bars.stop()

    def __call__(self, event: Event) -> None:
        if isinstance(event, events.Progress):
            self._show_progress(event)
        elif isinstance(event, events.EpochEvaluated):
            self._bars.print(_epoch_line(event))
        elif isinstance(event, events.Notice):
            self._bars.print(event.message)

    def _show_progress(self, event: events.Progress) -> None:
        title = phase_title(event.phase)
        if event.phase not in self._tasks:
            self._tasks[event.phase] = self._bars.add_task(title, rate="")
        rate = f"{event.images_per_second:,.0f} images/s" if event.images_per_second else ""
        self._bars.update(
            self._tasks[event.phase],
            total=event.epochs * event.steps,
            completed=(event.epoch - 1) * event.steps + event.step,
            rate=rate,
        )


def _epoch_line(event: events.EpochEvaluated) -> str:
    accuracies = "  ".join(f"{group} {value:.1f}" for group, value in event.accuracy.items() if value is not None)
    loss = "" if event.loss is None else f"  loss {event.loss:.3f}"
    validation = f"  validation: {accuracies}" if accuracies else ""
    return f"{phase_title(event.phase)}, epoch {event.epoch}{loss}{validation}"
