"""The schedules: which phases an experiment has, which models they yield, and what people call them."""

from dataclasses import dataclass

from ballad.heads import HEADS

Model = str
"""``zero_shot``, ``phase_a``, ``joint``, or the name of the method that Phase B trains."""

ZERO_SHOT: Model = "zero_shot"
_TITLES = {ZERO_SHOT: "Zero-shot", "phase_a": "Phase A", "joint": "Joint"}


@dataclass(frozen=True)
class Phase:
    """A part of the training. A phase that trains towers yields the model of its name, Phase B that of its method."""

    name: str
    title: str
    trains_towers: bool = False
    trains_head: bool = False


PHASE_A = Phase("phase_a", "Phase A", trains_towers=True)
JOINT = Phase("joint", "Joint training", trains_towers=True, trains_head=True)
PHASE_B = Phase("phase_b", "Phase B", trains_head=True)
PHASES = {phase.name: phase for phase in (PHASE_A, JOINT, PHASE_B)}


@dataclass(frozen=True)
class Schedule:
    """What is trained, in which order.

    no_towers, no_head : why settings of the towers' training, or of the head's, have no effect; empty where they have.
    """

    name: str
    title: str
    phases: tuple[Phase, ...]
    no_towers: str = ""
    no_head: str = ""

    @property
    def trains_towers(self) -> bool:
        return any(phase.trains_towers for phase in self.phases)

    @property
    def trains_head(self) -> bool:
        return any(phase.trains_head for phase in self.phases)

    @property
    def has_phase_b(self) -> bool:
        return PHASE_B in self.phases

    @property
    def is_joint(self) -> bool:
        return JOINT in self.phases

    @property
    def unused_sections(self) -> tuple[str, ...]:
        """Sections of settings that change nothing under this schedule."""
        used = {"phase_a": self.trains_towers, "phase_b": self.trains_head, "optimizer": bool(self.phases)}
        return tuple(section for section, is_used in used.items() if not is_used)

    def models(self, method: str) -> list[Model]:
        """What is evaluated, with ``method`` as Phase B's: the untouched towers, then what each phase yields."""
        return [ZERO_SHOT, *(method if phase == PHASE_B else phase.name for phase in self.phases)]

    def up_to(self, model: Model, method: str) -> "Schedule":
        """The schedule that ends with one of :meth:`models`."""
        return schedule_of(self.phases[: self.models(method).index(model)])

    @property
    def without_phase_b(self) -> "Schedule":
        """The schedule that yields the same towers and trains nothing on them."""
        return schedule_of(tuple(phase for phase in self.phases if phase != PHASE_B))

    @property
    def with_phase_b(self) -> "Schedule | None":
        """The schedule that trains a head on the same towers; None after joint training, which has trained one."""
        return None if self.is_joint else schedule_of((*self.without_phase_b.phases, PHASE_B))


SCHEDULES: dict[str, Schedule] = {
    schedule.name: schedule
    for schedule in (
        Schedule("decoupled", "Decoupled: A, then B (BALLAD)", (PHASE_A, PHASE_B)),
        Schedule("joint", "Joint: towers and adapter together", (JOINT,)),
        Schedule(
            "finetune",
            "Fine-tuning: A alone",
            (PHASE_A,),
            no_head="Fine-tuning ends after Phase A: there is no adapter.",
        ),
        Schedule(
            "zero_shot_adapter",
            "Zero-shot + adapter: B alone",
            (PHASE_B,),
            no_towers="Zero-shot + adapter leaves the towers as they are: there is no Phase A.",
        ),
        Schedule(
            "zero_shot",
            "Zero-shot: no training",
            (),
            no_towers="Zero-shot trains nothing.",
            no_head="Zero-shot trains nothing.",
        ),
    )
}
SCHEDULE_HELP = (
    "What is trained, and in which order. BALLAD decouples the two: Phase A trains the towers on the long tail, then "
    "Phase B trains an adapter on class-balanced batches."
)


def schedule_of(phases: tuple[Phase, ...]) -> Schedule:
    """The schedule with exactly these phases."""
    return next(schedule for schedule in SCHEDULES.values() if schedule.phases == phases)


def model_title(model: Model) -> str:
    """What people call a model; its own name where the head that it was made with is not known any more."""
    if model in HEADS:
        return HEADS[model].shown_title()
    return _TITLES.get(model, model)


def phase_title(name: str) -> str:
    """The title of a phase of training, or the capitalised name of another part of a run's work."""
    return PHASES[name].title if name in PHASES else name.capitalize()
