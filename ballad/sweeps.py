"""Queuing runs: one, or a grid over any settings as one group."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import median
from typing import Any

from ballad.errors import SettingsError
from ballad.experiment import Experiment, short_names
from ballad.store.run import DEFAULT_EXECUTOR, STATUSES, Run
from ballad.store.run_store import RunStore
from ballad.work.executors.registry import check_executor

ENDED = ("done", "failed", "cancelled", "interrupted")


@dataclass(frozen=True)
class GroupStatus:
    """How far a group is. ``eta_seconds`` is None while no run of it is done, or when none is left."""

    counts: dict[str, int]
    eta_seconds: float | None

    @property
    def runs(self) -> int:
        return sum(self.counts.values())

    @property
    def ended(self) -> int:
        return sum(self.counts[status] for status in ENDED)


def expand(base: Experiment, grid: Mapping[str, Sequence[Any]]) -> list[Experiment]:
    """All combinations of the grid's values, by dotted setting, each once; the last setting varies fastest.

    Each experiment is named after its own values. SettingsError for an unknown setting, a value that is not
    allowed, or a setting without values.
    """
    grid = distinct_values(grid)
    telling = short_names([path for path, values in grid.items() if len(values) > 1] or grid)
    experiments = []
    for values in product(*grid.values()):
        chosen = dict(zip(grid, values, strict=True))
        difference = " ".join(f"{short}={chosen[path]}" for path, short in telling.items())
        experiments.append(base.with_values({**chosen, "name": f"{base.name} {difference}".strip()}))
    return experiments


def distinct_values(grid: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """The grid with each value of a setting once: a run that occurs twice would count twice in means.

    SettingsError for a setting without values.
    """
    if not grid:
        raise SettingsError("A sweep needs at least one setting with values to try.")
    for path, values in grid.items():
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise SettingsError(f"The sweep needs a list of values for '{path}', not {values!r}.")
    return {path: list({_told(value): value for value in values}.values()) for path, values in grid.items()}


def _told(value: Any) -> str:
    """Equal for values that mean the same setting: 1 and 1.0 do, True does not."""
    return repr(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else repr(value)


def in_working_order(experiments: Sequence[Experiment]) -> list[Experiment]:
    """The first run for each set of trained towers first, so that the others, on every device, find them done."""
    seen: set[str] = set()
    first: list[Experiment] = []
    rest: list[Experiment] = []
    for experiment in experiments:
        key = experiment.towers_key
        (rest if key in seen else first).append(experiment)
        seen.add(key)
    return first + rest


def queue_run(
    store: RunStore, experiment: Experiment, *, executor: str = DEFAULT_EXECUTOR, tags: Sequence[str] = ()
) -> str:
    """Queue one run; returns its id. RunError for an unknown executor."""
    return store.create(experiment, executor=check_executor(executor), tags=tags)


def queue_sweep(
    store: RunStore,
    base: Experiment,
    grid: Mapping[str, Sequence[Any]],
    *,
    name: str = "",
    executor: str = DEFAULT_EXECUTOR,
    tags: Sequence[str] = (),
) -> str:
    """Queue a run for each combination of the grid's values; returns the group's id.

    Raises as :func:`expand`, and RunError for an unknown executor.
    """
    return store.create_group(
        name or base.name or f"Sweep over {', '.join(grid)}",
        in_working_order(expand(base, grid)),
        definition={"base": base.model_dump(mode="json"), "grid": distinct_values(grid)},
        executor=check_executor(executor),
        tags=tags,
    )[0]


def group_status(store: RunStore, group_id: str) -> GroupStatus:
    """How many runs are in each status, and when the last should end; RunError if there is no such group."""
    runs = [store.get(run_id) for run_id in store.group_ids(group_id)]
    counts = Counter(run.status for run in runs)
    return GroupStatus({status: counts[status] for status in STATUSES}, _eta(runs))


def _eta(runs: Sequence[Run]) -> float | None:
    """From the median time of finished runs, those that train towers apart from those that find them."""
    leaders = _leaders(runs)
    times: dict[bool, list[float]] = {True: [], False: []}
    for run in runs:
        if run.status == "done":
            times[run.id in leaders].append(run.seconds)
    if not (times[True] or times[False]):
        return None
    expected = {role: median(times[role] or times[not role]) for role in times}
    running = [run for run in runs if run.status == "running"]
    left = [expected[run.id in leaders] for run in runs if run.status == "queued"]
    left += [max(0.0, expected[run.id in leaders] - _elapsed(run)) for run in running]
    return sum(left) / max(1, len(running)) if left else None


def _leaders(runs: Sequence[Run]) -> set[str]:
    first_of: dict[str, str] = {}
    for run in runs:
        try:
            towers = run.experiment.towers_key
        except SettingsError:  # of another release: it shares nothing with those that are left
            towers = run.id
        first_of.setdefault(towers, run.id)
    return set(first_of.values())


def _elapsed(run: Run) -> float:
    return (run.heartbeat or 0.0) - (run.started or 0.0)
