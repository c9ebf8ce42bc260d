"""The protocol of a leaderboard: which methods are compared, and what each is given.

All methods see the same features and take the same number of steps. Each tries one declared grid of at most five
points, and keeps the best on validation. Runs are ordinary experiments, so that towers and features are computed once.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, Self

from ballad.errors import RunError, SettingsError
from ballad.experiment import Experiment
from ballad.heads import HEADS
from ballad.heads.ballad import Ballad
from ballad.heads.class_texts import ClassTexts
from ballad.heads.head import Head
from ballad.heads.linear_probe import LinearProbe
from ballad.heads.reslt import ResLT
from ballad.stages.run_folder import RunFolder
from ballad.store import queries
from ballad.store.run import DEFAULT_EXECUTOR
from ballad.store.run_store import RunStore
from ballad.sweeps import in_working_order
from ballad.work.executors.registry import check_executor

Towers = Literal["zero_shot", "phase_a"]
TOWER_TITLES: Mapping[Towers, str] = {"zero_shot": "untouched towers", "phase_a": "towers after Phase A"}
_SCHEDULES: Mapping[Towers, str] = {"zero_shot": "zero_shot_adapter", "phase_a": "decoupled"}

Vary = Literal["head", "run"]
VARY_TITLES: Mapping[Vary, str] = {"head": "head seeds on one set of towers", "run": "whole runs"}

BASELINE = Ballad.name
"""The entry that the others are tested against."""

NO_VALIDATION = (
    "This dataset has no validation split, so nothing can be searched: every method runs with its defaults, which "
    "suit some datasets better than others. Set images aside with dataset.validation_per_class to try each method's "
    "grid."
)


@dataclass(frozen=True)
class Entry:
    """A row of a leaderboard: a method, or one whose logits are adjusted after its training.

    sampler : of methods that leave it to the settings. One that corrects for the long tail in another way, or not at
    all, draws images as they come: a balanced sampler besides an adjustment would correct twice.
    """

    name: str
    method: str
    adjustment: float = 0.0
    sampler: str = "class_balanced"

    @property
    def head(self) -> type[Head]:
        return HEADS[self.method]

    @property
    def mixes_towers(self) -> bool:
        """Whether it is a mixture of untouched and tuned towers, with the class texts as they are: WiSE-FT."""
        return self.name == WISE_FT

    @property
    def grid(self) -> Mapping[str, tuple[float, ...]]:
        """What it tries on validation."""
        return _MIXTURES if self.mixes_towers else self.head.grid

    @property
    def formula(self) -> str:
        """What it computes, in one line."""
        if self.mixes_towers:
            return "towers (1 − α) · untouched + α · tuned, α = interpolation"
        return f"{self.head.formula}, then z − {self.adjustment:g} · log π" if self.adjustment else self.head.formula

    @property
    def paper(self) -> str:
        """Where it was published; empty for none."""
        return "arXiv 2109.01903" if self.mixes_towers else self.head.paper

    def title(self, towers: Towers) -> str:
        """The method's title, marked where it is a head only or is adjusted afterwards."""
        if self.mixes_towers:
            return "WiSE-FT"
        if not self.adjustment:
            return self.head.shown_title()
        untrained = {"zero_shot": "Zero-shot", "phase_a": "Phase A"}[towers]
        return f"{untrained if self.method == ClassTexts.name else self.head.shown_title()}, adjusted afterwards"


WISE_FT = "wise_ft"
_MIXTURES: Mapping[str, tuple[float, ...]] = {"interpolation": (0.2, 0.4, 0.6, 0.8)}
_UNSEARCHED_MIXTURE = 0.5
"""What its authors recommend where there is nothing to choose by."""

_AS_IMAGES_COME = (LinearProbe.name, ResLT.name)
"""On balanced batches the plain probe would be cRT, and ResLT, whose parts correct for the tail, would do so twice."""

ENTRIES: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        # Unadjusted class texts already have a row: that of the towers.
        *(
            Entry(name, name, sampler="instance" if name in _AS_IMAGES_COME else "class_balanced")
            for name in HEADS
            if name != ClassTexts.name
        ),
        Entry("zero_shot_adjusted", ClassTexts.name, 1.0, sampler="instance"),
        Entry("linear_probe_adjusted", LinearProbe.name, 1.0, sampler="instance"),
        Entry(WISE_FT, ClassTexts.name, sampler="instance"),
    )
}
"""All that can be compared, BALLAD first."""


def methods_on(towers: Towers) -> tuple[str, ...]:
    """The names of those that these towers allow, in their order: where none are tuned there is nothing to mix."""
    return tuple(name for name, entry in ENTRIES.items() if towers == "phase_a" or not entry.mixes_towers)


@dataclass(frozen=True)
class Leaderboard:
    """What is compared.

    base : dataset, backbone and training that all share. methods : names among :data:`ENTRIES`. seeds : how many,
    counted up from the base's. vary : what they change. searched : whether grids are tried, which takes a validation
    split.
    """

    base: Experiment
    methods: tuple[str, ...]
    towers: Towers
    seeds: int
    vary: Vary = "head"
    searched: bool = True

    def __post_init__(self) -> None:
        if unknown := [name for name in self.methods if name not in ENTRIES]:
            raise SettingsError(
                f"There is no method {' or '.join(unknown)} to compare; there are {', '.join(ENTRIES)}."
            )
        if not self.entries:
            needs = " WiSE-FT needs tuned towers." if self.methods else ""
            raise SettingsError(f"A leaderboard needs at least one method.{needs}")
        if self.seeds < 1:
            raise SettingsError(f"seeds = {self.seeds}: a leaderboard needs at least one seed.")

    @property
    def entries(self) -> list[Entry]:
        """Those among the methods that the towers allow, in the order of :data:`ENTRIES`."""
        return [ENTRIES[name] for name in methods_on(self.towers) if name in self.methods]

    def experiments(self, entry: Entry) -> list[Experiment]:
        """The runs of an entry, one per seed; a single one where seeds can change nothing.

        A mixture of towers has one for each point of its grid: its runs share their training, and no head searches.
        """
        if entry.mixes_towers:
            mixtures = entry.grid["interpolation"] if self.searched else (_UNSEARCHED_MIXTURE,)
            trainings = range(self.seeds if self.vary == "run" else 1)
            mixed = self.base.with_values({"schedule": "finetune", "name": entry.title(self.towers)})
            return [
                mixed.with_values({"seed": self.base.seed + offset, "phase_a.interpolation": mixture})
                for offset in trainings
                for mixture in mixtures
            ]
        common = self.base.with_values(
            {
                "phase_b.method": entry.method,
                "phase_b.features": "cached",
                "phase_b.search": "grid" if self.searched and entry.head.grid else "none",
                "phase_b.adjustment": entry.adjustment,
                "phase_b.sampler": entry.sampler,
                "schedule": _SCHEDULES[self.towers],
                "name": entry.title(self.towers),
            }
        )
        if self.vary == "run":
            return [common.with_values({"seed": self.base.seed + offset}) for offset in range(self.seeds)]
        first, seeds = self.base.adapter_seed, self.seeds if entry.head.learns else 1
        return [common.with_values({"phase_b.seed": first + offset}) for offset in range(seeds)]

    def all_experiments(self) -> list[Experiment]:
        """The runs of all entries, each once."""
        return list({each.key: each for entry in self.entries for each in self.experiments(entry)}.values())

    def definition(self) -> dict[str, Any]:
        """What a group of runs keeps, for :meth:`parse`."""
        return {
            "leaderboard": {
                "base": self.base.model_dump(mode="json"),
                "methods": list(self.methods),
                "towers": self.towers,
                "seeds": self.seeds,
                "vary": self.vary,
                "searched": self.searched,
            }
        }

    @classmethod
    def parse(cls, definition: Mapping[str, Any]) -> Self:
        """The leaderboard of a group. Raises RunError if the group is not one, SettingsError if of another release."""
        if "leaderboard" not in definition:
            raise RunError("This group of runs is not a leaderboard.")
        values = definition["leaderboard"]
        return cls(**{**values, "base": Experiment.parse(values["base"]), "methods": tuple(values["methods"])})


def finished_runs(store: RunStore, board: Leaderboard) -> dict[str, RunFolder]:
    """The folder of a finished run of each experiment of a leaderboard, by key, whoever launched it."""
    wanted = {each.key for each in board.all_experiments()}
    done = queries.runs(store, statuses=["done"])
    found: dict[str, RunFolder] = {}
    for key, run_id in done.loc[done["key"].isin(wanted), ["key", "id"]].itertuples(index=False):
        with suppress(RunError):  # its folder is gone
            found.setdefault(key, RunFolder.of(store.home, run_id))
    return found


def queue_leaderboard(
    store: RunStore, board: Leaderboard, *, executor: str = DEFAULT_EXECUTOR, tags: Sequence[str] = ()
) -> str:
    """Queue those runs of a leaderboard that are not finished yet as one group; returns its id.

    If none is missing, returns the existing group of the same leaderboard, or else queues all runs, which find their
    results. Raises RunError for an unknown executor.
    """
    finished, experiments = finished_runs(store, board), board.all_experiments()
    missing = [each for each in experiments if each.key not in finished]
    if not missing:
        groups = queries.groups(store)
        same = groups.loc[[definition == board.definition() for definition in groups["definition"]], "id"]
        if len(same):
            return same.iloc[0]
    return store.create_group(
        board.base.name or f"Leaderboard on {TOWER_TITLES[board.towers]}",
        in_working_order(missing or experiments),
        definition=board.definition(),
        executor=check_executor(executor),
        tags=tags,
    )[0]


def definition_of(store: RunStore, group_id: str) -> dict[str, Any]:
    """The definition of a group; empty if there is no such group."""
    return queries.groups(store).set_index("id")["definition"].get(group_id, {})
