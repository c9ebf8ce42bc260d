"""What the page Try a picture shows: a picture, what each model of a run says, and the nearest training pictures."""

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ballad.data.long_tail import LongTailDataset, Split
from ballad.schedules import Model, model_title
from ballad.stages.plan import SplitName
from ballad.wording import percent
from dashboard.reading.loaders import evaluation
from dashboard.text import as_text


def random_sample(run_id: str, split: SplitName, class_id: int | None) -> int | None:
    """The index of any picture of a split, of one class or of all; None where there is none."""
    labels = evaluation(run_id, "zero_shot", split).predictions.labels
    candidates = np.arange(len(labels)) if class_id is None else np.flatnonzero(labels == class_id)
    return int(secrets.choice(candidates)) if len(candidates) else None


def sample_name(dataset: LongTailDataset, split: SplitName, index: int) -> str:
    """A picture for the URL: by name, so that it does not become another one where another run is chosen."""
    images = _split(dataset, split)
    name = images.sample_name(index)
    # Only files have names of their own.
    return name if images.paths is not None else f"{dataset.title}, {name}"


def find_sample(dataset: LongTailDataset, split: SplitName, name: str) -> int | None:
    """The index of the picture that :func:`sample_name` named, or None; links of the first release have the index."""
    images = _split(dataset, split)
    if images.paths is not None and name in images.paths.names:
        return images.paths.names.index(name)
    number = name if images.paths is not None else name.removeprefix(f"{dataset.title}, {split}/")
    return int(number) if re.fullmatch(r"\d{1,9}", number, re.ASCII) and int(number) < len(images) else None


def _split(dataset: LongTailDataset, name: SplitName) -> Split:
    return next(split for split in dataset.splits if split.name == name)


def answers_table(ranked: Mapping[Model, Sequence[Sequence[Any]]]) -> pd.DataFrame:
    """One row per model and class."""
    rows = [
        (model_title(model), rank, name, 100 * probability)
        for model, answers in ranked.items()
        for rank, (name, probability) in enumerate(answers, start=1)
    ]
    return pd.DataFrame(rows, columns=["Model", "Rank", "Class", "Probability (%)"])


def show_answers(ranked: Mapping[Model, Sequence[Sequence[Any]]], true: str | None) -> None:
    """What each model finds most probable, side by side, as bars; the true class stands out where it is known."""
    for column, (model, answers) in zip(st.columns(len(ranked)), ranked.items(), strict=True):
        with column.container(border=True):
            verdict = "" if true is None else " " + _verdict(answers[0][0] == true)
            st.markdown(f"**{model_title(model)}**{verdict}")
            for name, probability in answers:
                shown = f"**{as_text(name)}**" if name == true else as_text(name)
                st.progress(min(1.0, probability), text=f"{percent(100 * probability)} · {shown}")


def _verdict(correct: bool) -> str:
    return ":blue-badge[✓ correct]" if correct else ":orange-badge[✗ wrong]"
