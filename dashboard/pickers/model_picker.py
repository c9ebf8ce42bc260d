"""Choosing what to look at within a finished run: one of its models, on one of its splits."""

from collections.abc import Sequence

import streamlit as st

from ballad.schedules import Model, model_title
from ballad.stages.plan import SplitName
from dashboard.reading.loaders import SPLIT_TITLES

MODEL_HELP = (
    "Zero-shot is the untouched backbone, Phase A the backbone after continued pretraining on the long tail, BALLAD "
    "the result of Phase A with the adapter of Phase B, and Joint the towers and adapter trained together."
)


def pick_model(models: Sequence[Model], *, key: str, first: Model) -> Model:
    """Choose one of ``models``, at first ``first``; ``key`` is also the query parameter."""
    return st.segmented_control(
        "Model",
        models,
        default=first,
        format_func=model_title,
        key=key,
        help=MODEL_HELP,
        required=True,
        bind="query-params",
    )


def pick_split(splits: Sequence[SplitName]) -> SplitName:
    """Choose one of ``splits``; the query parameter is ``split``."""
    return st.segmented_control(
        "Split",
        splits,
        default=splits[0],
        format_func=SPLIT_TITLES.__getitem__,
        key="split",
        help="Choose settings on the validation split; report results on the test split.",
        required=True,
        bind="query-params",
    )
