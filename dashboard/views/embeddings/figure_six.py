"""The two runs of the paper's Figure 6: joint training and BALLAD, alike in everything but the schedule."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import pandas as pd
import streamlit as st

from ballad.errors import BalladError, SettingsError
from ballad.store import queries
from dashboard.reading.workbench import open_store
from dashboard.views.confusion.confusion_view import Side
from dashboard.views.embeddings.embedding_view import comparable

JOINT_RUNS_TRIED = 20
"""To see whether two runs have the same images takes reading both, and a page must not read hundreds."""

_CHANGES_NO_NUMBER = ("schedule", "name", "notes", "budget", "phase_a.micro_batch")
"""Beyond the schedule, which is what the figure compares."""

Pair = tuple[str, str]
"""The ids of a joint and a decoupled run."""


@dataclass(frozen=True)
class FigureSix:
    """``joint`` and ``decoupled`` were evaluated on the same images; None where there are no two such runs.

    ``differing``: dotted settings beyond the schedule in which they differ, where no pair is alike in all of them.
    ``alone``: the decoupled run of the reader's choice, or else the latest, if it has no joint counterpart.
    """

    joint: str | None
    decoupled: str | None
    differing: tuple[str, ...]
    alone: str | None


def find_figure_six(runs: pd.DataFrame, sides: Sequence[Side]) -> FigureSix:
    """The pair among the finished ``runs`` that differs in nothing but the schedule, else one on the same images.

    Of several, one with a chosen run in it, else the latest.
    """
    chosen = runs["id"].isin([side.run_id for side in sides])
    candidates = pd.concat([runs[chosen], runs[~chosen]])
    joint, decoupled = (candidates[candidates["schedule"] == schedule] for schedule in ("joint", "decoupled"))
    wanted = None if decoupled.empty else decoupled["id"].iloc[0]
    ours = set(runs["id"][chosen])
    alike = sorted(_alike(joint, decoupled), key=lambda pair: ours.isdisjoint(pair))
    for pair in chain(alike, _similar(joint, decoupled, ours)):
        if _on_the_same_images(pair):
            differing = () if pair in alike else _differing(pair)
            return FigureSix(*pair, differing, None if pair[1] == wanted and not differing else wanted)
    return FigureSix(None, None, (), wanted)


def _alike(joint: pd.DataFrame, decoupled: pd.DataFrame) -> Iterator[Pair]:
    """Pairs that agree in everything that can change a number."""
    of_key = dict(zip(joint["key"][::-1], joint["id"][::-1], strict=True))
    for run_id in decoupled["id"] if of_key else ():
        if (other := of_key.get(_key_as_joint(run_id))) is not None:
            yield other, run_id


def _similar(joint: pd.DataFrame, decoupled: pd.DataFrame, chosen: set[str]) -> Iterator[Pair]:
    """Pairs on one dataset and budget. Of the many runs that were not chosen, the latest of each kind is enough."""
    tried = decoupled[decoupled["id"].isin(chosen) | ~decoupled.duplicated(["dataset", "budget"])]
    for run in tried.itertuples():
        beside = (joint["dataset"] == run.dataset) & (joint["budget"] == run.budget)
        for other in joint.loc[beside, "id"].head(JOINT_RUNS_TRIED):
            yield other, run.id


def _on_the_same_images(pair: Pair) -> bool:
    try:
        return comparable(*pair, "test")
    except BalladError:  # a folder is gone, or its settings are of another release
        return False


def _differing(pair: Pair) -> tuple[str, ...]:
    names = queries.different_settings(open_store(), pair).columns.tolist()
    return tuple(name for name in names if name not in _CHANGES_NO_NUMBER and not name.startswith("runtime."))


@st.cache_data(max_entries=4096, show_spinner=False)
def _key_as_joint(run_id: str) -> str | None:
    """The key of a run's experiment, were its schedule joint; None if its settings are of another release."""
    try:
        return open_store().get(run_id).experiment.with_values({"schedule": "joint"}).key
    except SettingsError:
        return None
