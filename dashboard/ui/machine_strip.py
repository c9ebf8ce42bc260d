"""The machine at a glance, in the sidebar of every page: how busy it is, and what waits for it."""

from collections import deque

import streamlit as st

from ballad.wording import percent, size
from dashboard.navigation import RUNS
from dashboard.reading.machine import Device, devices, free_disk
from dashboard.reading.workbench import all_runs

SECONDS_BETWEEN_LOOKS = 15
LOOKS_KEPT = 40


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def show_machine() -> None:
    """A number for each device with its load of the last minutes, the queue, and what room is left."""
    for device in devices():
        history = _history(device.name)
        if not history or history[-1] != device:
            history.append(device)
        _show_device(device, history)
    counts = all_runs()["status"].value_counts()
    running, queued = int(counts.get("running", 0)), int(counts.get("queued", 0))
    st.page_link(RUNS, label=f"{running} running, {queued} waiting", icon=":material/pending_actions:")
    st.caption(f"{size(free_disk())} of disk free", help="Where runs and their results are kept")


def _show_device(device: Device, history: deque[Device]) -> None:
    st.metric(
        device.title,
        percent(device.utilisation, 0),
        chart_data=[past.utilisation for past in history],
        chart_type="area",
        help=f"How busy {device.name} is, now and in the last minutes; {size(device.memory_used)} of "
        f"{size(device.memory_total)} of its memory are in use.",
    )


@st.cache_resource(show_spinner=False)
def _history(name: str) -> deque[Device]:
    return deque(maxlen=LOOKS_KEPT)
