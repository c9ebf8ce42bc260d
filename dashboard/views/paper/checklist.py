"""The paper as a checklist: a card for each table and figure, with its state, its cost and its own export."""

from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from ballad.errors import BalladError
from ballad.paper.ablations import Ablation, queue_ablation
from ballad.paper.presets import PRESETS, Preset
from ballad.stages.plan import Plan
from ballad.store import queries
from ballad.wording import counted
from dashboard.exports.names import file_name
from dashboard.navigation import LAMBDA_SWEEP
from dashboard.reading.plans import dataset_facts, plan_of
from dashboard.reading.workbench import editing_store, open_store
from dashboard.text import as_text, sentence_as_text
from dashboard.ui.changes import change_button
from dashboard.views.lambda_sweep.sweep_results import sweeps
from dashboard.views.paper.paper_report import (
    Part,
    latest_launches,
    part_of,
    part_of_sweep,
    report_pack,
    report_page,
    report_parts,
)
from dashboard.views.paper.paper_request import Conditions, Cost, PaperRequest, cost_of
from dashboard.views.paper.paper_results import ablations

RESULT, LAUNCHER, CHECKLIST = "result", "launcher", "checklist"
"""The keys of the chosen launch, and of the two expanders."""
SECONDS_BETWEEN_LOOKS = 2
_CARDS_IN_A_ROW = 3
_STAGES_NAMED = 8
"""The most that a tooltip holds."""
Costs = dict[str, Cost | BalladError]
"""What is left to do for each table or figure, by its name, or why it cannot run."""


def show_checklist(chosen: Conditions | None) -> None:
    """All tables and figures, in their present states.

    ``chosen``: the conditions to run them under; None for those of the latest launch, or of the demo. While runs are
    active the cards are drawn anew, and the whole page runs again when a group has ended.
    """
    groups = queries.groups(open_store())
    launched = ablations(groups)
    active = _active(launched)
    latest = latest_launches(launched)
    title = f"Checklist: {len(latest)} of {len(PRESETS)} launched"
    place = st.expander(
        title,
        expanded=RESULT not in st.query_params,
        icon=":material/checklist:",
        key=CHECKLIST,
        on_change="rerun",
        bind="query-params",
    )
    if not place.open:
        return
    if chosen is not None:
        conditions, whose = chosen, "chosen above"
    elif launched.empty:
        conditions, whose = PaperRequest().conditions, "of the demo"
    else:
        conditions, whose = Conditions.of_launch(launched.iloc[0]["definition"]), "of the latest launch"
    plans: dict[str, Plan] = {}
    definitions = launched.set_index("id")["definition"]
    costs = {
        name: _cost([preset], Conditions.of_launch(definitions[latest[name]]) if name in latest else conditions, plans)
        for name, preset in PRESETS.items()
    }

    @st.fragment(run_every=SECONDS_BETWEEN_LOOKS if active else None)
    def watch() -> None:
        now = queries.groups(open_store())
        if _active(ablations(now)) != active:
            st.rerun()
        _show_cards(now, conditions, costs)

    with place:
        _offer_all(launched, conditions, whose, plans)
        watch()
        if launched["done"].any() or sweeps(groups)["done"].any():
            _show_exports()


def choose_to_run(names: list[str]) -> None:
    """Open the launcher with these tables and figures chosen."""
    st.session_state.update({"tables": names, LAUNCHER: True})


def launch(presets: Sequence[Preset], conditions: Conditions) -> None:
    """Queue each as a group, and show the first."""
    store, base, seeds = editing_store(), conditions.base, conditions.seeds
    groups = [queue_ablation(store, preset, base, seeds, tags=["paper"]) for preset in presets]
    st.session_state.update({RESULT: groups[0], LAUNCHER: False})


def _active(launched: pd.DataFrame) -> set[str]:
    return set(launched["id"][(launched["queued"] + launched["running"]) > 0])


def _offer_all(launched: pd.DataFrame, conditions: Conditions, whose: str, plans: dict[str, Plan]) -> None:
    """One button for all that was not launched under these conditions."""
    done = {
        definition["preset"]
        for definition in launched["definition"]
        if Conditions.of_launch(definition).lead_to_the_runs_of(conditions)
    }
    left = [preset for preset in PRESETS.values() if preset.name not in done]
    if not left:
        return
    st.caption(f"‘Run’ uses the conditions {whose}: {as_text(str(conditions))}.")
    cost = _cost(left, conditions, plans)
    with st.container(horizontal=True, vertical_alignment="center"):
        change_button(
            f"Run all {len(left)}" if len(left) == len(PRESETS) else f"Run the other {len(left)}",
            key="run_all",
            type="primary",
            icon=":material/rocket_launch:",
            disabled=isinstance(cost, BalladError),
            on_click=launch,
            args=(left, conditions),
        )
        _show_cost(cost)


def _show_cards(groups: pd.DataFrame, conditions: Conditions, costs: Costs) -> None:
    launched = ablations(groups)
    latest, by_id = latest_launches(launched), launched.set_index("id")
    of_lambda = sweeps(groups)
    of_lambda = of_lambda[of_lambda["done"] > 0]
    for place, preset in enumerate(PRESETS.values()):
        if place % _CARDS_IN_A_ROW == 0:
            row = st.columns(_CARDS_IN_A_ROW)
        with row[place % _CARDS_IN_A_ROW].container(border=True, height="stretch"):
            st.markdown(f"**{preset.place}**: {preset.title}")
            if preset.name in latest:
                _show_launched(preset, by_id.loc[latest[preset.name]], costs[preset.name])
            elif preset.name == "figure5" and len(of_lambda):
                _show_sweep(preset, of_lambda.iloc[0], conditions, costs[preset.name])
            else:
                st.badge("not run", color="gray")
                _show_cost(costs[preset.name])
                with st.container(horizontal=True):
                    _run_buttons(preset, conditions, costs[preset.name])


def _show_launched(preset: Preset, group: pd.Series, cost: Cost | BalladError) -> None:
    done, runs = int(group["done"]), int(group["runs"])
    state = "running" if group["running"] else "queued" if group["queued"] else "not finished"
    finished = done == runs
    st.badge("done" if finished else f"{state}, {done} of {runs} runs", color="green" if finished else "blue")
    st.caption(as_text(str(Conditions.of_launch(group["definition"]))))
    if not finished:
        _show_cost(cost)
    with st.container(horizontal=True):
        st.button(
            "Show", key=f"show_{preset.name}", on_click=_show_launch, args=(group.name,), icon=":material/visibility:"
        )
        if done:
            _export_button("Export", f"BALLAD {preset.place}", "zip", partial(_export_one, group.name), preset.name)


def _show_sweep(preset: Preset, group: pd.Series, conditions: Conditions, cost: Cost | BalladError) -> None:
    st.badge("done as a λ sweep", color="green")
    name = group["name"] or group["id"]
    st.caption(f"{as_text(name)}: {group['done']} of {counted(int(group['runs']), 'run')} done.")
    with st.container(horizontal=True):
        st.page_link(LAMBDA_SWEEP, label="Show", icon=":material/visibility:", query_params={"sweep": group["id"]})
        _export_button("Export", f"BALLAD {preset.place}", "zip", partial(_export_sweep, group["id"]), preset.name)
        _run_buttons(preset, conditions, cost)


def _run_buttons(preset: Preset, conditions: Conditions, cost: Cost | BalladError) -> None:
    change_button(
        "Run",
        key=f"run_{preset.name}",
        icon=":material/rocket_launch:",
        disabled=isinstance(cost, BalladError),
        on_click=launch,
        args=([preset], conditions),
    )
    st.button(
        "Choose", key=f"choose_{preset.name}", icon=":material/add:", on_click=choose_to_run, args=([preset.name],)
    )


def _cost(presets: Sequence[Preset], conditions: Conditions, plans: dict[str, Plan]) -> Cost | BalladError:
    """``plans`` by the keys of their experiments: those of other tables and figures, to which it adds."""
    try:
        facts, experiments = dataset_facts(conditions.base.dataset), conditions.experiments(presets)
        for each in experiments:
            if each.key not in plans:
                plans[each.key] = plan_of(each, facts)
        return cost_of([plans[each.key] for each in experiments], facts)
    except BalladError as error:
        return error


def _show_cost(cost: Cost | BalladError) -> None:
    if isinstance(cost, BalladError):
        st.caption(sentence_as_text(str(cost)))
        return
    named = list(dict.fromkeys(state.title for state in cost.stages if state.present))
    more = "; …" if len(named) > _STAGES_NAMED else ""
    st.caption(
        str(cost),
        help=f"Shared with earlier runs: {as_text('; '.join(named[:_STAGES_NAMED]))}{more}" if named else None,
    )


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


def _export_sweep(group_id: str) -> bytes:
    part = part_of_sweep(open_store(), group_id)
    return report_pack([] if part is None else [part], whole=False)


def _export_all(write: Callable[[Sequence[Part]], bytes]) -> bytes:
    return write(report_parts(open_store()))
