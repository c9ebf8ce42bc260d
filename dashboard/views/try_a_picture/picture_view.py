"""What the page for trying a picture shows: a picture, what each model of a run says, the nearest training pictures."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ballad.schedules import MODEL_TITLES, Model
from ballad.stages.plan import SplitName
from ballad.wording import percent
from dashboard.reading.loaders import evaluation
from dashboard.text import as_text


def random_sample(run_id: str, split: SplitName, class_id: int | None) -> int | None:
    """The index of any picture of a split, of one class or of all; None where there is none."""
    labels = evaluation(run_id, "zero_shot", split).predictions.labels
    candidates = np.arange(len(labels)) if class_id is None else np.flatnonzero(labels == class_id)
    return int(secrets.choice(candidates)) if len(candidates) else None


def answers_table(ranked: Mapping[Model, Sequence[Sequence[Any]]]) -> pd.DataFrame:
    """A row a model and class."""
    rows = [
        (MODEL_TITLES[model], rank, name, 100 * probability)
        for model, answers in ranked.items()
        for rank, (name, probability) in enumerate(answers, start=1)
    ]
    return pd.DataFrame(rows, columns=["Model", "Rank", "Class", "Probability (%)"])


def show_answers(ranked: Mapping[Model, Sequence[Sequence[Any]]], true: str | None) -> None:
    """What each model finds most probable, side by side, as bars; the true class stands out where it is known."""
    for column, (model, answers) in zip(st.columns(len(ranked)), ranked.items(), strict=True):
        with column.container(border=True):
            verdict = "" if true is None else " " + _verdict(answers[0][0] == true)
            st.markdown(f"**{MODEL_TITLES[model]}**{verdict}")
            for name, probability in answers:
                shown = f"**{as_text(name)}**" if name == true else as_text(name)
                st.progress(min(1.0, probability), text=f"{percent(100 * probability)} · {shown}")


def _verdict(correct: bool) -> str:
    return ":blue-badge[✓ correct]" if correct else ":orange-badge[✗ wrong]"
