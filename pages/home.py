"""Home: what BALLAD is, what the machine is doing, and where to go next."""

import pandas as pd
import streamlit as st

from ballad.data.demo.settings import DEMO_SETTINGS
from ballad.experiment import Experiment
from ballad.wording import size
from dashboard.navigation import (
    COMPARE,
    CONFUSION,
    DATA,
    EMBEDDINGS,
    LAMBDA_SWEEP,
    LEADERBOARD,
    NEW_EXPERIMENT,
    PAPER,
    RUNS,
)
from dashboard.reading.machine import devices, free_disk
from dashboard.reading.workbench import ACTIVE, all_runs, editing_store
from dashboard.text import as_text
from dashboard.ui.changes import change_button
from dashboard.ui.messages import empty_state
from dashboard.ui.status import progress_share, progress_text
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
    st.switch_page(RUNS, query_params={"run": run_id})


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


def machine(runs: pd.DataFrame) -> None:
    counts = runs["status"].value_counts()
    with st.container(horizontal=True):
        for device in devices():
            st.metric(
                device.title,
                f"{size(device.memory_used)} of {size(device.memory_total)}",
                help=f"Memory in use on {device.name}",
                border=True,
            )
        st.metric("Free disk", size(free_disk()), help="Where runs and their results are kept", border=True)
        st.metric("Running", int(counts.get("running", 0)), border=True)
        st.metric("Queued", int(counts.get("queued", 0)), border=True)
        st.metric("Finished", int(counts.get("done", 0)), border=True)


def working(runs: pd.DataFrame) -> None:
    for _, run in runs[runs["status"] == "running"].iterrows():
        st.progress(progress_share(run), text=f"**{as_text(run['label'])}**: {progress_text(run)}")


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
    st.dataframe(
        table_of(runs.head(RECENT))[[*COLUMNS, "created"]],
        column_config=column_config(),
        hide_index=True,
        placeholder="",
        alt="The latest runs with their status and accuracy",
    )


any_active = all_runs()["status"].isin(ACTIVE).any()


@st.fragment(run_every=2 if any_active else None)
def state() -> None:
    runs = all_runs()
    machine(runs)
    working(runs)
    recent(runs)
    if any_active and not runs["status"].isin(ACTIVE).any():
        st.rerun()


introduce()
first_step(all_runs())
state()
next_steps(all_runs())
