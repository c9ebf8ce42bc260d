"""Choosing a backbone and its weights for a group of runs; each choice is also a query parameter."""

import streamlit as st

from ballad.paper.presets import PAPER_BACKBONES

BACKBONES = ("demo", *PAPER_BACKBONES)


def pick_backbone(*, further: str = "") -> str:
    """Choose a name or type one, which :func:`dashboard.pickers.backbone_paths.check_backbone_paths` has to check.

    ``further`` ends the help text.
    """
    return st.selectbox(
        "Backbone",
        BACKBONES,
        accept_new_options=True,
        key="backbone",
        bind="query-params",
        help=f"The paper's four, any open_clip architecture, hf-hub:OWNER/NAME, or a folder. {further}".rstrip(),
    )


def pick_weights() -> str | None:
    """Type an open_clip tag or a checkpoint file; None for the backbone's own weights."""
    weights = st.text_input(
        "Weights",
        key="weights",
        bind="query-params",
        placeholder="the name's own",
        help="An open_clip tag or a checkpoint file.",
    )
    return weights.strip() or None
