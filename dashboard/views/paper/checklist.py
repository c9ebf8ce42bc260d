"""The paper as a checklist: a card for each table and figure, with its state, what it takes, and its own export."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from ballad.errors import BalladError
from ballad.experiment import Experiment
from ballad.paper.ablations import Ablation, queue_ablation
from ballad.paper.presets import PRESETS, Preset, backbone_title
from ballad.wording import counted
from dashboard.exports.names import file_name
from dashboard.forms.group_cost import stages_and_time
from dashboard.forms.outlook import time_text
from dashboard.reading.plans import dataset_facts
from dashboard.reading.workbench import editing_store, open_store
from dashboard.text import as_text, sentence_as_text
from dashboard.ui.changes import change_button
from dashboard.views.paper.paper_report import Part, latest_launches, part_of, report_pack, report_page, report_parts
from dashboard.views.paper.paper_request import experiments_of, source_title

RESULT, LAUNCHER, CHECKLIST = "result", "launcher", "checklist"
"""The keys of the chosen launch, and of the two expanders."""
_STAGES_NAMED = 8
"""A tooltip holds no more."""


def show_checklist(launched: pd.DataFrame) -> None:
    """``launched``: the rows of :func:`dashboard.views.paper.paper_results.ablations`, the latest first.

    What is not run yet would run on the dataset, backbone, budget and seeds of the latest launch.
    """
    latest = latest_launches(launched)
    title = f"Checklist: {len(latest)} of {len(PRESETS)} launched"
    place = st.expander(title, icon=":material/checklist:", key=CHECKLIST, on_change="rerun", bind="query-params")
    if place.open:
        with place:
            _show_cards(launched, latest)
            _show_exports()


def choose_to_run(names: list[str]) -> None:
    """Open the launcher with these tables and figures chosen."""
    st.session_state.update({"tables": names, LAUNCHER: True})


def launch(presets: Sequence[Preset], base: Experiment, seeds: int) -> None:
    """Queue each as a group, and show the first."""
    groups = [queue_ablation(editing_store(), preset, base, seeds, tags=["paper"]) for preset in presets]
    st.session_state.update({RESULT: groups[0], LAUNCHER: False})


def _show_cards(launched: pd.DataFrame, latest: dict[str, str]) -> None:
    definitions = launched.iloc[0]["definition"]
    base, seeds = Experiment.parse(definitions["base"]).with_values({"name": ""}), definitions["seeds"]
    st.caption(
        f"Run takes the conditions of the latest launch: {as_text(source_title(base.dataset.source))} with "
        f"{as_text(backbone_title(base.backbone.name))}, {_conditions(definitions)}. ‘Choose’ offers others."
    )
    groups, columns = launched.set_index("id"), st.columns(3)
    for place, preset in enumerate(PRESETS.values()):
        with columns[place % 3].container(border=True):
            st.markdown(f"**{preset.place}**: {preset.title}")
            if preset.name in latest:
                _show_launched(preset, groups.loc[latest[preset.name]])
            else:
                _show_not_run(preset, base, seeds)


def _show_launched(preset: Preset, group: pd.Series) -> None:
    definition, done, runs = group["definition"], int(group["done"]), int(group["runs"])
    state = "running" if group["running"] else "queued" if group["queued"] else "not finished"
    finished = done == runs
    st.badge("done" if finished else f"{state}, {done} of {runs} runs", color="green" if finished else "blue")
    st.caption(_conditions(definition))
    if not finished:
        _show_cost(preset, Experiment.parse(definition["base"]), definition["seeds"])
    with st.container(horizontal=True):
        st.button(
            "Show", key=f"show_{preset.name}", on_click=_show_launch, args=(group.name,), icon=":material/visibility:"
        )
        if done:
            _export_button("Export", f"BALLAD {preset.place}", "zip", partial(_export_one, group.name), preset.name)


def _show_not_run(preset: Preset, base: Experiment, seeds: int) -> None:
    st.badge("not run", color="gray")
    could_run = _show_cost(preset, base, seeds)
    with st.container(horizontal=True):
        change_button(
            "Run",
            key=f"run_{preset.name}",
            icon=":material/rocket_launch:",
            disabled=not could_run,
            on_click=launch,
            args=([preset], base, seeds),
        )
        st.button(
            "Choose", key=f"choose_{preset.name}", icon=":material/add:", on_click=choose_to_run, args=([preset.name],)
        )


def _show_cost(preset: Preset, base: Experiment, seeds: int) -> bool:
    """Runs, the stages that are there already, and the expected time; False, with the reason, where it cannot run."""
    try:
        experiments = experiments_of([preset], base, seeds)
        states, time = stages_and_time(experiments, dataset_facts(base.dataset))
    except BalladError as error:
        st.caption(sentence_as_text(str(error)))
        return False
    there = [state.title for state in states if state.present]
    named = list(dict.fromkeys(there))
    more = "; …" if len(named) > _STAGES_NAMED else ""
    st.caption(
        f"{counted(len(experiments), 'run')}, {len(there)} of {len(states)} stages done already. "
        f"Expected time: {time_text(time)}.",
        help=f"Shared with earlier runs: {as_text('; '.join(named[:_STAGES_NAMED]))}{more}" if named else None,
    )
    return True


def _conditions(definition: dict[str, Any]) -> str:
    return f"{counted(definition['seeds'], 'seed')}, budget {as_text(definition['base'].get('budget', 'full'))}"


def _show_exports() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        _export_button("Report (HTML)", "BALLAD measured", "html", partial(_export_all, report_page), "all")
        _export_button("All with LaTeX (zip)", "BALLAD measured", "zip", partial(_export_all, report_pack), "all")
        st.caption("The latest launch of each with finished runs; a λ sweep stands in for Figure 5.")


def _export_button(title: str, subject: str, extension: str, write: Callable[[], bytes], key: str) -> None:
    st.download_button(
        title,
        write,
        file_name=file_name(subject, extension=extension),
        mime=f"text/{extension}" if extension == "html" else "application/zip",
        icon=":material/folder_zip:",
        key=f"export_{key}_{extension}",
        on_click="ignore",
    )


def _show_launch(group_id: str) -> None:
    st.session_state[RESULT] = group_id


def _export_one(group_id: str) -> bytes:
    return report_pack([part_of(open_store(), Ablation.read(open_store(), group_id))], whole=False)


def _export_all(write: Callable[[Sequence[Part]], bytes]) -> bytes:
    return write(report_parts(open_store()))
