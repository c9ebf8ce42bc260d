"""open_clip's backbones as a table to search and choose from."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from ballad.model.catalogue import list_backbones

_COLUMNS = {
    "Architecture": st.column_config.TextColumn(width="medium"),
    "Parameters": st.column_config.NumberColumn(format="compact", help="Parameters of both towers, where known."),
    "d": st.column_config.NumberColumn(help="Dimension of the joint space."),
    "Pixels": st.column_config.NumberColumn(help="Side of the input image in pixels."),
}


def search_backbones(on_choose: Callable[[str, str | None], None]) -> None:
    """``on_choose``, a callback, gets the architecture and the tag (None where no weights are published)."""
    expander = st.expander("All backbones of open_clip", icon=":material/search:", key="backbones", on_change="rerun")
    if not expander.open:
        return
    with expander:
        words = st.text_input("Search", placeholder="vit-l-14 openai, siglip2, mobileclip2 …", key="backbone_search")
        found = list_backbones(words)
        selection = st.dataframe(
            _shown(found),
            hide_index=True,
            alt="Backbones of open_clip",
            column_config=_COLUMNS,
            height=280,
            placeholder="–",
            selection_mode="single-row",
            on_select="rerun",
            key=f"backbones_{words}",
        )
        rows = selection.selection.rows
        chosen = found.iloc[rows[0]] if rows else None
        tag = None if chosen is None or pd.isna(chosen["tag"]) else chosen["tag"]
        named = "a row" if chosen is None else f"{chosen['architecture']}{f', {tag}' if tag else ''}"
        st.button(
            f"Use {named}",
            icon=":material/check:",
            disabled=chosen is None,
            on_click=on_choose,
            args=None if chosen is None else (chosen["architecture"], tag),
        )
        st.caption(
            "In fp32, weights take four bytes per parameter on disk. They are downloaded once and kept in the hub's "
            "cache."
        )


def _shown(found: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Architecture": found["architecture"],
            "Weights": found["tag"],
            "On disk": found["on_disk"].map({True: "yes", False: "no"}),
            "Parameters": found["image_parameters"] + found["text_parameters"],
            "d": found["embed_dim"],
            "Pixels": found["image_size"],
        }
    )
