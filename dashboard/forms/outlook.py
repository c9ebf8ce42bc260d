"""The panel beside the form: stages already computed, time, memory, data, and the experiment as files and command."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ballad.errors import BalladError, RunError, SettingsError
from ballad.schedules import phase_title
from ballad.stages.cautions import cautions
from ballad.store import queries
from ballad.wording import counted, duration, size
from ballad.work.devices import device_for, list_devices
from dashboard.figures.class_counts import class_count_curve
from dashboard.forms.command import shell_command
from dashboard.forms.cost import ExpectedTime, expected_time, speed_on, training_memory
from dashboard.forms.draft import Request
from dashboard.reading.machine import devices
from dashboard.reading.plans import DatasetFacts, StageState, dataset_facts, plan_of, stage_states
from dashboard.reading.workbench import open_store
from dashboard.text import as_text, sentence_as_text
from dashboard.ui.charts import show_chart
from dashboard.ui.downloads import figure_downloads
from dashboard.ui.messages import show_caution, show_error

_NAMED_CLASSES = 20
"""Beside the form there is no room for the names of more."""


def show_outlook(request: Request) -> bool:
    """The panel beside the form; False where the run could not work, with one sentence that says why."""
    could_work = True
    try:
        _refuse_code(request)
        facts = dataset_facts(request.experiment.dataset)
        for sentence in cautions(request.experiment, has_validation=facts.has_validation):
            show_caution(sentence)
        _show_work(request, facts)
        _show_data(facts)
    except BalladError as error:
        show_error(error)
        could_work = False
    _show_settings(request)
    return could_work


def _refuse_code(request: Request) -> None:
    if request.experiment.backbone.trust_torchscript:
        raise SettingsError(
            "A TorchScript file can contain code, which the pages never run: start this experiment with the shell "
            "command."
        )


def _show_work(request: Request, facts: DatasetFacts) -> None:
    plans = [plan_of(experiment, facts) for experiment in request.experiments]
    states = stage_states(plans)
    missing = {state.stage.key for state in states if not state.present}
    device = _device(request)
    speed = speed_on(queries.throughput(open_store()), request.experiment.backbone.name, device)
    time = expected_time(plans, missing, facts.images, speed)
    memory = training_memory(request.experiment, len(facts.classes))
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**Stages to compute:** {len(missing)} of {len(states)}", help=_STAGES_HELP)
        st.markdown(f"**Expected time:** {time_text(time)}", help=_time_help(device))
        if request.experiment.training.trains_towers:
            told = "not known for this backbone" if memory is None else f"about {size(memory)}"
            st.markdown(f"**Device memory in Phase A:** {told}", help=_MEMORY_HELP)
    _warn_of_memory(memory, device)
    with st.expander("Stages", icon=":material/account_tree:"):
        _show_stages(states)


_STAGES_HELP = (
    "Each stage is stored under a hash of everything that shaped it, and what another run has computed is reused: a "
    "new λ or sampler takes seconds once Phase A exists."
)
_MEMORY_HELP = (
    "Weights, gradients, momentum and what the backward pass keeps: an estimate, known for the demo backbone, for "
    "open_clip's architectures except those with a Hugging Face text tower, and for folders that hold one of these. "
    "‘Images at a time’ under Advanced, Phase A, lowers it without changing the results."
)


def _device(request: Request) -> str:
    try:
        return device_for(request.experiment.runtime.device, list_devices())
    except RunError as error:
        st.warning(sentence_as_text(str(error)), icon=":material/memory:")
        return request.experiment.runtime.device


def time_text(time: ExpectedTime) -> str:
    """``about 3 min 05 s``, naming the phases whose speed was not measured yet."""
    unknown = ", ".join(phase_title(phase) for phase in time.unknown)
    if unknown:
        known = f"about {duration(time.seconds)}, and " if time.seconds else ""
        return f"{known}not yet measured for {unknown}"
    return f"about {duration(time.seconds)}" if time.seconds else "none: everything has been computed"


def _time_help(device: str) -> str:
    return f"From the speed of earlier runs with this backbone on {device}; validation takes additional time."


def _warn_of_memory(memory: float | None, device: str) -> None:
    here = next((present for present in devices() if present.name == device), None)
    if memory and here and memory > here.memory_total:
        st.warning(
            f"Phase A may need {size(memory)}, and {here.title} has {size(here.memory_total)}: choose fewer images "
            "at a time (Advanced, Phase A).",
            icon=":material/memory:",
        )


def _show_stages(states: Sequence[StageState]) -> None:
    table = pd.DataFrame(
        {
            "stage": [state.title for state in states],
            "state": ["there" if state.present else "to compute" for state in states],
            "key": [state.stage.key for state in states],
        }
    )
    columns = {"stage": "Stage", "state": "Result", "key": st.column_config.TextColumn("Key", width="small")}
    st.dataframe(table, column_config=columns, hide_index=True, alt="The stages and whether their results exist")


def _show_data(facts: DatasetFacts) -> None:
    images = ", ".join(f"{number:,} {split}" for split, number in facts.images.items())
    made = " Synthetic." if facts.synthetic else ""
    classes = counted(len(facts.classes), "class", "classes")
    st.markdown(f"**{as_text(facts.title)}**: {classes}, images: {images}.{made}")
    notes = list(facts.notes)
    if not facts.has_validation:
        notes.append(
            "There is no validation split, so nothing can be selected on it. Set images aside under Advanced, Data."
        )
    for note in notes:
        st.caption(f":material/info: {as_text(note)}")
    figure = class_count_curve(facts.classes)
    if len(facts.classes) > _NAMED_CLASSES:
        figure.update_xaxes(showticklabels=False)
    show_chart(figure, key="class_counts", label="Training images of each class, by shot group", height=340)
    figure_downloads(f"class counts {facts.title}", figure, facts.classes, key="class_counts")


def _show_settings(request: Request) -> None:
    command, as_yaml, as_json = st.tabs(["Shell command", "YAML", "JSON"])
    with command:
        st.code(shell_command(request.experiment, request.seeds), language="bash", wrap_lines=True)
    with as_yaml:
        st.code(request.experiment.to_yaml(), language="yaml", height=320)
    with as_json:
        st.code(request.experiment.to_json(), language="json", height=320)
