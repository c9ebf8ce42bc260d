"""Groups of runs in the shell: executed to the end, with a report of the runs that failed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ballad.errors import Cancelled
from ballad.wording import duration

if TYPE_CHECKING:
    from ballad.store.run_store import RunStore
    from ballad.sweeps import GroupStatus


def finish_groups(store: "RunStore", groups: Sequence[str]) -> None:
    """Execute the groups' runs in turn, and wait for those that other processes took; Cancelled if that was stopped."""
    from rich.console import Console

    from ballad import api
    from ballad.work.worker import stop_on_signals

    with Console(stderr=True).status("starting …") as line, stop_on_signals() as stop:
        for place, group_id in enumerate(groups, start=1):
            which = f"group {place} of {len(groups)}: " if len(groups) > 1 else ""

            def show(status: "GroupStatus", which: str = which) -> None:
                line.update(f"{which}{_status_line(status)}")

            api.finish_group_here(store, group_id, on_status=show, stop=stop)
            if stop.is_set():
                raise Cancelled


def failures(store: "RunStore", groups: Sequence[str]) -> list[str]:
    """A sentence for each run that is not done."""
    runs = [store.get(run_id) for group_id in groups for run_id in store.group_ids(group_id)]
    return [f"{run.name}, run {run.id}: {run.error or run.status}" for run in runs if run.status != "done"]


def _status_line(status: "GroupStatus") -> str:
    left = "" if status.eta_seconds is None else f", about {duration(status.eta_seconds)} left"
    return f"{status.ended} of {status.runs} runs have ended{left}"
