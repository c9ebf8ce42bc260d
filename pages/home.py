"""Home: what BALLAD is, what the latest run has gained, and where to go next."""

import pandas as pd
import streamlit as st

from ballad.data.demo.settings import DEMO_SETTINGS
from ballad.experiment import Experiment
from dashboard.navigation import (
    COMPARE,
    CONFUSION,
    DATA,
    EMBEDDINGS,
    LAMBDA_SWEEP,
    LEADERBOARD,
    NEW_EXPERIMENT,
    PAPER,
    RUN,
    RUNS,
)
from dashboard.pickers.current_run import current_run
from dashboard.reading.workbench import ACTIVE, all_runs, editing_store
from dashboard.text import as_text
from dashboard.ui.changes import change_button
from dashboard.ui.messages import empty_state, shown_errors
from dashboard.views.run.outcome import show_outcome
from dashboard.views.runs.run_progress import show_progress
from dashboard.views.runs.run_table import COLUMNS, column_config, table_of

RECENT = 8
DEMO_HELP = (
    "Runs both phases on a small synthetic dataset with a small backbone, both included. Takes a minute or two on a "
    "CPU."
)
TO_BEGIN = {
    DATA: ("Look at the images, or bring your own", ":material/database:"),
    NEW_EXPERIMENT: ("Set up an experiment", ":material/add_circle:"),
    LEADERBOARD: ("See which method serves your data best", ":material/leaderboard:"),
    PAPER: ("Redo the paper's tables", ":material/article:"),
}
WITH_RESULTS = {
    LAMBDA_SWEEP: ("Sweep λ on a finished Phase A", ":material/tune:"),
    EMBEDDINGS: ("See how classes separate", ":material/scatter_plot:"),
    CONFUSION: ("See which classes are confused", ":material/grid_on:"),
    COMPARE: ("Compare runs with the paper", ":material/compare_arrows:"),
}


def introduce() -> None:
    st.markdown(
        "BALLAD adapts a vision-language model such as CLIP to datasets in which a few classes have most of the "
        "images. **Phase A** continues contrastive pretraining on the long-tailed dataset: frequent classes improve, "
        "rare ones lag behind. **Phase B** freezes the model and trains a linear adapter on class-balanced batches, "
        "mixed in with a residual factor λ: rare classes catch up while frequent ones hold.",
        width=900,
    )


def start_demo() -> None:
    demo = Experiment().with_values({**DEMO_SETTINGS, "name": "Demo"})
    run_id = editing_store().create(demo, tags=["demo"])
    st.switch_page(RUN, query_params={"run": run_id})


def first_step(runs: pd.DataFrame) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if change_button("Run the demo", type="primary", icon=":material/play_arrow:", help=DEMO_HELP):
            start_demo()
        if not runs.empty:
            st.page_link(RUNS, label="See all runs", icon=":material/monitoring:")


def next_steps(runs: pd.DataFrame) -> None:
    st.subheader("Where to go next", anchor=False)
    steps = WITH_RESULTS | TO_BEGIN if runs["status"].eq("done").any() else TO_BEGIN
    with st.container(horizontal=True):
        for page, (label, icon) in steps.items():
            st.page_link(page, label=label, icon=icon)


def result(runs: pd.DataFrame) -> None:
    """What the current run, or the latest finished one, has gained."""
    finished = runs[runs["status"] == "done"].set_index("id", drop=False)
    if finished.empty:
        return
    run = finished.loc[current_run() if current_run() in finished.index else finished.index[0]]
    st.subheader(as_text(run["label"]), anchor=False)
    with shown_errors():
        show_outcome(run["id"], run["label"], "test")
    st.page_link(
        RUN, label="Its curves, classes and pictures", icon=":material/timeline:", query_params={"run": run["id"]}
    )


def working(runs: pd.DataFrame) -> None:
    for _, run in runs[runs["status"] == "running"].iterrows():
        show_progress(run)


def recent(runs: pd.DataFrame) -> None:
    st.subheader("Recent runs", anchor=False)
    if runs.empty:
        empty_state(
            "No runs yet",
            "Run the demo for a first result in a minute or two: it trains both phases and gives every page something "
            "to show.",
            ":material/science:",
        )
        return
    shown = table_of(runs.head(RECENT))
    state = st.dataframe(
        shown[[*COLUMNS, "created"]],
        key=f"recent_{hash(tuple(shown['id']))}",
        column_config=column_config(),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="",
        alt="The latest runs with their status and accuracy",
    )
    st.caption("Select a run to open it.")
    for place in state.selection.rows:
        st.switch_page(RUN, query_params={"run": shown["id"].iloc[place]})


any_active = all_runs()["status"].isin(ACTIVE).any()


@st.fragment(run_every=2 if any_active else None)
def state() -> None:
    runs = all_runs()
    working(runs)
    recent(runs)
    if any_active and not runs["status"].isin(ACTIVE).any():
        st.rerun()


if not all_runs()["status"].eq("done").any():
    introduce()
first_step(all_runs())
result(all_runs())
next_steps(all_runs())
state()
