"""The form that launches a leaderboard, and what it says before anything is queued."""

import streamlit as st

from ballad.errors import BalladError
from ballad.leaderboard.protocol import (
    ENTRIES,
    NO_VALIDATION,
    TOWER_TITLES,
    VARY_TITLES,
    Leaderboard,
    finished_runs,
    methods_on,
    queue_leaderboard,
)
from ballad.wording import counted
from dashboard.forms.group_cost import stages_and_time
from dashboard.forms.outlook import time_text
from dashboard.navigation import DATA
from dashboard.pickers.backbone_paths import check_backbone_paths
from dashboard.pickers.backbone_picker import pick_backbone, pick_weights
from dashboard.pickers.budget_picker import pick_budget
from dashboard.pickers.dataset_picker import pick_dataset
from dashboard.reading.dataset_source import dataset_source
from dashboard.reading.plans import DatasetFacts, dataset_facts, plan_of
from dashboard.reading.workbench import editing_store, open_store
from dashboard.text import sentence_case
from dashboard.ui.changes import change_button
from dashboard.ui.messages import show_error
from dashboard.views.leaderboard.methods_view import show_methods
from dashboard.views.leaderboard.request import LeaderboardRequest, proposal

BOARD, LAUNCHER, SET_ASIDE = "board", "launcher", "validation"
"""Keys of the chosen leaderboard, of the form, and of its entry for images that are set aside."""


def launcher() -> None:
    """Ask what to compare, say what it will take, and offer to queue it."""
    try:
        request = _ask()
        base = request.base
        check_backbone_paths(base.backbone)
        facts = dataset_facts(base.dataset)
        board = request.leaderboard(facts)
        missing = len(board.all_experiments()) - len(finished_runs(open_store(), board))
        takes = _what_it_takes(board, facts, missing)
    except BalladError as error:
        show_error(error)
        st.page_link(
            DATA, label="See which datasets are available and how to get the others", icon=":material/database:"
        )
        return
    if not facts.has_validation:
        _offer_validation(facts)
    with st.container(horizontal=True, vertical_alignment="center"):
        change_button(
            f"Launch {counted(missing, 'run')}" if missing else "Show",
            type="primary",
            icon=":material/rocket_launch:" if missing else ":material/visibility:",
            on_click=_launch,
            args=(board,),
        )
        st.caption(takes)
    with st.container(horizontal=True):
        with st.popover("As a shell command", icon=":material/terminal:", type="tertiary"):
            st.code(request.command, language="bash", wrap_lines=True)
        with st.popover("What each method tries", icon=":material/grid_view:", type="tertiary", width="content"):
            show_methods(board, key="offered")


def open_with_validation(board: Leaderboard, each: int) -> None:
    """Open the form for what this leaderboard compared, with ``each`` images per class set aside for validation."""
    base, methods = board.base, board.methods if board.methods != methods_on(board.towers) else ()
    st.session_state.update(
        {
            "dataset": base.dataset.source,
            "backbone": base.backbone.name,
            "weights": base.backbone.pretrained or "",
            "budget": base.budget,
            "towers": board.towers,
            "vary": board.vary,
            "seeds": board.seeds,
            "methods": list(methods),
            SET_ASIDE: each,
            LAUNCHER: True,
        }
    )


def _ask() -> LeaderboardRequest:
    left, middle, right = st.columns(3)
    with left:
        dataset = dataset_source(pick_dataset(key="dataset"))
    with middle:
        backbone = pick_backbone()
    with right:
        weights = pick_weights()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        towers = st.segmented_control(
            "Features of",
            list(TOWER_TITLES),
            default="zero_shot",
            format_func=lambda towers: sentence_case(TOWER_TITLES[towers]),
            key="towers",
            required=True,
            bind="query-params",
            width="content",
            help="Untouched towers need no training. Phase A tunes them on this dataset, once for all methods.",
        )
        vary = st.segmented_control(
            "Seeds vary",
            list(VARY_TITLES),
            default="head",
            format_func=lambda vary: sentence_case(VARY_TITLES[vary]),
            key="vary",
            required=True,
            bind="query-params",
            width="content",
            help="Seeds of heads share one set of towers. Whole runs train Phase A anew for each seed, which shows how "
            "much depends on it.",
        )
        seeds = st.number_input("Seeds", 1, 20, 3, key="seeds", bind="query-params", width=120)
        budget = pick_budget(width=150)
        aside = st.number_input(
            "Set aside",
            0,
            key=SET_ASIDE,
            bind="query-params",
            width=150,
            help="Training images per class to set aside for validation, where the dataset has no validation split. A "
            "dataset that has one is left as it is.",
        )
    offered = methods_on(towers)
    methods = st.multiselect(
        "Methods",
        offered,
        format_func=lambda name: ENTRIES[name].title(towers),
        key="methods",
        bind="query-params",
        placeholder=f"All {len(offered)}",
        help="None chosen means all of them. BALLAD is what the others are tested against.",
    )
    chosen = tuple(methods) or offered
    return LeaderboardRequest(dataset, backbone, weights, budget, towers, vary, seeds, chosen, aside)


def _what_it_takes(board: Leaderboard, facts: DatasetFacts, missing: int) -> str:
    """Runs, the stages that are there already, and the expected time. Raises BackboneError or RunError."""
    experiments = board.all_experiments()
    states, time = stages_and_time([plan_of(each, facts) for each in experiments], facts)
    there = sum(state.present for state in states)
    return (
        f"{len(experiments) - missing} of {counted(len(experiments), 'run')} and {there:,} of "
        f"{counted(len(states), 'shared stage')} are there already. Expected time: {time_text(time)}."
    )


def _offer_validation(facts: DatasetFacts) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(NO_VALIDATION, icon=":material/rule:")
        if each := proposal(facts):
            st.button(
                f"Set {counted(each, 'image')} per class aside",
                icon=":material/content_cut:",
                on_click=lambda: st.session_state.update({SET_ASIDE: each}),
            )


def _launch(board: Leaderboard) -> None:
    """Queue what is missing, and show the leaderboard."""
    group_id = queue_leaderboard(editing_store(), board, tags=["leaderboard"])
    st.session_state.update({BOARD: group_id, LAUNCHER: False})
