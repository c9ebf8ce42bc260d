"""Runs: the queue, every run, and the learning curves of the chosen ones."""

import time

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from ballad.store import queries
from ballad.store.run import STATUSES
from ballad.wording import counted, duration
from dashboard.figures.accuracy_curves import accuracy_curves
from dashboard.figures.training_curves import Quantity, training_curves
from dashboard.navigation import HOME
from dashboard.pickers.run_picker import chosen_runs, remember_runs, show_missing
from dashboard.reading.curves import accuracy_table, quantity_table, step_table
from dashboard.reading.loaders import images_in_split
from dashboard.reading.workbench import ACTIVE, all_runs, open_store
from dashboard.text import as_text
from dashboard.ui.changes import change_button
from dashboard.ui.charts import show_chart
from dashboard.ui.downloads import figure_downloads, table_downloads
from dashboard.ui.messages import empty_state, show_sentence
from dashboard.ui.status import DIVERGED, progress_share, progress_text, status_badge
from dashboard.ui.stop import stop
from dashboard.views.runs.run_actions import cancel_runs, just_deleted, run_actions, undo_deletion
from dashboard.views.runs.run_table import export_table, selectable_table

RUN = "run"
MOST_CURVES = 12
LOG_LINES = 200
SECONDS_BETWEEN_TABLES = 10
STEPS_OF_A_CURVE = 300
LEGEND_ROW = 16
QUEUE_ROWS, ROW_HEIGHT = 4, 54
QUEUE_SEEN = "queue_rows"
QUANTITIES: dict[Quantity, str] = {"loss": "Training loss", "learning_rate": "Learning rate"}


def filtered(runs: pd.DataFrame) -> pd.DataFrame:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Search", key="q", bind="query-params", type="search", placeholder="Name, note, id")
        status = st.multiselect("Status", STATUSES, key="status", bind="query-params")
        dataset = st.multiselect("Dataset", sorted(runs["dataset"].unique()), key="dataset", bind="query-params")
        tag = st.multiselect("Tag", queries.tags(open_store()), key="tag", bind="query-params")
    searched = runs["name"] + " " + runs["notes"] + " " + runs["id"]
    keep = searched.str.contains(text or "", case=False, regex=False)
    if status:
        keep &= runs["status"].isin(status)
    if dataset:
        keep &= runs["dataset"].isin(dataset)
    if tag:
        keep &= runs["tags"].map(lambda tags: bool(set(tags) & set(tag)))
    return runs[keep]


def choose(runs: pd.DataFrame) -> list[str]:
    chosen = selectable_table(runs, chosen_runs(RUN), key="runs", height=320)
    remember_runs(RUN, chosen)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{counted(len(runs), 'run')}, {len(chosen)} selected. Select rows to see their learning curves.")
        table_downloads("runs", export_table(runs), caption="Test accuracy (%) by shot group.", key="runs")
    return chosen


def queue(runs: pd.DataFrame) -> None:
    active = runs[runs["status"].isin(ACTIVE)].sort_values(["status", "id"], ascending=[False, True])
    # It keeps its height until it is empty, so that the curves below stay where they are.
    rows = min(max(len(active), st.session_state.get(QUEUE_SEEN, 1)), QUEUE_ROWS) if len(active) else 1
    st.session_state[QUEUE_SEEN] = rows
    with st.container(height=rows * ROW_HEIGHT, border=False):
        if active.empty:
            st.caption("Nothing is running or waiting.")
        for _, run in active.iterrows():
            queue_row(run)


def queue_row(run: pd.Series) -> None:
    name = as_text(run["label"])
    with st.container(horizontal=True, vertical_alignment="center"):
        if run["status"] == "queued":
            waiting = f"{status_badge('queued')} **{name}** waits for a device ({run['requested_device']})"
            st.markdown(waiting, width="stretch")
        else:
            st.progress(progress_share(run), text=f"**{name}** on {run['device']}: {progress_text(run)}")
        change_button(
            "Stopping…" if run["cancel_requested"] else "Cancel",
            key=f"cancel_{run['id']}",
            disabled=bool(run["cancel_requested"]),
            on_click=cancel_runs,
            args=([run["id"]],),
        )


def curves(runs: pd.DataFrame) -> None:
    labels = dict(zip(runs["id"], runs["label"], strict=True))
    metrics = queries.epoch_metrics(open_store(), list(labels))
    by_step = queries.step_metrics(open_store(), list(labels), list(QUANTITIES), points=STEPS_OF_A_CURVE)
    accuracy = accuracy_table(metrics, labels)
    name = runs["label"].iloc[0] if len(runs) == 1 else counted(len(runs), "run")
    st.subheader("Accuracy on validation", anchor=False)
    figure = accuracy_curves(accuracy, images=images_in_split(runs["id"], "val"))
    height = 420 + max(0, len(runs) - 4) * LEGEND_ROW
    show_chart(figure, key="accuracy", label="Validation accuracy of each shot group by epoch", height=height)
    figure_downloads(f"accuracy curves {name}", figure, accuracy, key="accuracy")
    for column, (quantity, title) in zip(st.columns(2), QUANTITIES.items(), strict=True):
        with column:
            st.subheader(title, anchor=False)
            table = quantity_table(metrics, labels, quantity)
            figure = training_curves(table, quantity, step_table(by_step, labels, quantity))
            # The legend above holds for all three.
            show_chart(go.Figure(figure, layout_showlegend=False), key=quantity, label=f"{title} by epoch", height=320)
            figure_downloads(f"{title} {name}", figure, table, key=quantity)


def story(run: pd.Series) -> None:
    """The outcome of a run, in one line."""
    what = as_text(f"{run['dataset']} · {run['backbone']} · {run['schedule']}")
    st.markdown(
        f"{status_badge(run['status'])} {what} · seed {run['seed']}"
        f" · {duration(run['seconds'])} of computing in {counted(run['attempts'], 'attempt')}"
    )
    if run["diverged"]:
        st.markdown(f"{status_badge(DIVERGED)} The final model is no better than guessing; see the log for details.")
    if pd.notna(run["started_by"]):
        st.caption(f"Started by {as_text(run['started_by'])}")
    if run["notes"]:
        st.caption(as_text(run["notes"]))
    if pd.notna(run["error"]):
        show_sentence(run["error"])


def log(runs: pd.DataFrame) -> None:
    labels = dict(zip(runs["id"], runs["label"], strict=True))
    with st.expander("Log", key="log"):
        run_id = st.selectbox("Run", labels, format_func=labels.__getitem__, key="log_of") if len(labels) > 1 else None
        newest_first = queries.log(open_store(), run_id or next(iter(labels)), limit=LOG_LINES)[::-1]
        times = newest_first["time"].dt.tz_convert(st.context.timezone)
        lines = [f"{time:%H:%M:%S}  {text}" for time, text in zip(times, newest_first["text"], strict=True)]
        st.code("\n".join(lines) or "Nothing yet.", language=None, height=260)


runs = all_runs()
with st.container():
    undo_deletion()
    show_missing("Runs", sorted(set(chosen_runs(RUN)) - set(runs["id"]) - set(just_deleted())))
if runs.empty:
    empty_state(
        "No runs yet", "Runs appear here as soon as they are queued, with live curves.", ":material/monitoring:"
    )
    st.page_link(HOME, label="Run the demo from Home", icon=":material/home:")
    stop()

chosen = choose(filtered(runs))
run_actions(runs[runs["id"].isin(chosen)])
first_look = [runs]
drawn = time.monotonic()


def is_outdated(now: pd.DataFrame) -> bool:
    """Whether the table has to be drawn anew: at once where a status changed, now and then for its small curves."""
    states = ["id", "status"]
    if not now[states].equals(runs[states]):
        return True
    old = time.monotonic() - drawn > SECONDS_BETWEEN_TABLES
    return old and now["sparkline"].tolist() != runs["sparkline"].tolist()


def looks_again(shown: pd.DataFrame) -> int | None:
    """Seconds between two looks at these runs; None if nothing of them changes by itself."""
    return 1 if shown["status"].isin(ACTIVE).any() else None


@st.fragment(run_every=looks_again(runs))
def watch_queue() -> None:
    # A run of the page shows one state throughout: with short epochs and many readers the next would be there already.
    now = first_look.pop() if first_look else all_runs()
    if is_outdated(now):
        st.rerun()
    queue(now)


@st.fragment(run_every=looks_again(runs[runs["id"].isin(chosen)]))
def watch_chosen() -> None:
    now = all_runs()
    selected = now[now["id"].isin(chosen)].head(MOST_CURVES)
    with st.container():
        if len(selected) == 1:
            story(selected.iloc[0])
    if not selected.empty:
        log(selected)
        curves(selected)


watch_queue()
watch_chosen()
