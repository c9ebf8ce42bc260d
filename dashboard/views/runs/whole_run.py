"""How far a running run is as a whole: its stages weighted by what they cost on this machine."""

import time
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from ballad.errors import BalladError
from ballad.stages.run_folder import RunFolder
from ballad.store import queries
from dashboard.forms.cost import speed_on, stage_seconds
from dashboard.reading.plans import dataset_facts
from dashboard.reading.workbench import open_store

_SECONDS_KEPT = 30


@dataclass(frozen=True)
class WholeRun:
    """``share``: of the expected work, done, 0 to 1. ``seconds_left``: until the run ends."""

    share: float
    seconds_left: float


def whole_run(run: pd.Series) -> WholeRun | None:
    """Of a running row of :func:`all_runs`; None as long as the speed of one of its phases here is not known."""
    try:
        plan = RunFolder.of(open_store().home, run["id"]).plan()
        images = dataset_facts(plan.experiment.dataset).images
    except BalladError:  # it has just begun, or its data are gone; its own error says so
        return None
    speed = speed_on(_throughput(), run["backbone"], run["device"])
    stages = queries.run_stages(open_store(), run["id"]).set_index("key")
    return _of_stages(stage_seconds(plan, images, speed), stages, run["eta_seconds"], time.time())


def _of_stages(
    expected: dict[str, float | None], stages: pd.DataFrame, left_in_phase: float, now: float
) -> WholeRun | None:
    """``expected``: seconds of each stage by key, None where unknown. ``stages``: of the run, by key.

    ``left_in_phase``: what the phase in progress has measured itself, NaN before that.
    """
    ended = stages[stages["finished"].notna()]
    done, left = float(ended.loc[~ended["reused"].fillna(False), "seconds"].sum()), 0.0
    for key, seconds in expected.items():
        if key in ended.index:
            continue
        begun = key in stages.index
        elapsed = now - stages.loc[key, "started"].timestamp() if begun else 0.0
        done += elapsed
        if begun and left_in_phase == left_in_phase:
            left += left_in_phase
        elif seconds is None:
            return None
        else:
            left += max(0.0, seconds - elapsed)
    return WholeRun(done / (done + left) if done + left else 0.0, left)


@st.cache_data(ttl=_SECONDS_KEPT, show_spinner=False)
def _throughput() -> pd.DataFrame:
    return queries.throughput(open_store())
