"""What an experiment will need: the facts about its dataset, its stages, and which of them already exist."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from ballad.data.catalog import load_dataset
from ballad.experiment import Experiment
from ballad.home import default_home
from ballad.model.fingerprint import backbone_fingerprint
from ballad.schedules import model_title
from ballad.sections import DatasetSettings
from ballad.stages.plan import Plan
from ballad.stages.stage_store import Stage, StageStore

_SECONDS_KEPT = 600


@dataclass(frozen=True)
class DatasetFacts:
    """What pages need to know of a dataset.

    ``images``: by split. ``classes``: its class table. ``class_sources``: the folder or label that each class was read
    from. ``ignored``: a sentence for each reason that files were left out for.
    """

    title: str
    fingerprint: str
    classes: pd.DataFrame
    images: dict[str, int]
    synthetic: bool
    notes: tuple[str, ...]
    class_sources: tuple[str, ...]
    ignored: tuple[str, ...]

    @property
    def has_validation(self) -> bool:
        return "val" in self.images


def dataset_facts(settings: DatasetSettings) -> DatasetFacts:
    """Reads names and labels, once in a while. Raises DataError or SettingsError."""
    return _facts(settings.model_dump_json())


@st.cache_data(ttl=_SECONDS_KEPT, max_entries=32, show_spinner="Reading the dataset's names and labels …")
def _facts(settings: str) -> DatasetFacts:
    dataset = load_dataset(DatasetSettings.model_validate_json(settings))
    splits = [split for split in (dataset.train, dataset.val, dataset.test) if split is not None]
    return DatasetFacts(
        title=dataset.title,
        fingerprint=dataset.fingerprint,
        classes=dataset.class_table(),
        images={split.name: len(split) for split in splits},
        synthetic=dataset.synthetic,
        notes=dataset.notes,
        class_sources=dataset.class_sources,
        ignored=tuple(dataset.ignored.sentences()),
    )


def forget_datasets() -> None:
    """Read every dataset anew: one was downloaded, or its class names were edited."""
    _facts.clear()


def plan_of(experiment: Experiment, facts: DatasetFacts) -> Plan:
    """The addresses of its stages. Raises BackboneError for a backbone that cannot be found."""
    return Plan(experiment, facts.fingerprint, backbone_fingerprint(experiment.backbone), facts.has_validation)


@dataclass(frozen=True)
class StageState:
    """A stage and whether its result is there."""

    stage: Stage
    title: str
    present: bool


def stage_states(plans: Sequence[Plan]) -> list[StageState]:
    """Every stage of these plans once, in the order of computing."""
    store = StageStore(default_home())
    stages = {stage.key: (plan, stage) for plan in plans for stage in plan.stages()}
    return [StageState(stage, _title(plan, stage), store.recorded(stage)) for plan, stage in stages.values()]


def _title(plan: Plan, stage: Stage) -> str:
    tuned = "trained" if "towers" in stage.inputs else "untouched"
    match stage.kind:
        case "towers":
            return f"{plan.experiment.training.phases[0].title}: trained towers"
        case "mixed_towers":
            return f"Untouched and trained towers mixed, α = {stage.inputs['interpolation']:g}"
        case "class_text":
            return f"Class texts, {tuned} towers"
        case "features":
            return f"Features of {stage.inputs['split']}, {tuned} towers"
        case "views":
            return "Augmented views of train"
        case "adapter":
            return f"Phase B: {model_title(plan.phase_b_model)}"
    model = next(model for model in plan.models if plan.evaluation(model).key == stage.key)
    return f"Evaluation: {model_title(model)}"
