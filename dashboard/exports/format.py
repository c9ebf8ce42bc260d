"""What a file format offers to a reader who exports a figure or a table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dashboard.exports.look import Look

Digits = int | Mapping[str, int]
"""Decimals of all numbers, or of each column's; 1 for a column that is not named."""


@dataclass(frozen=True)
class FigureFormat:
    """A format for figures.

    write : the file's bytes, for a figure and how it is to look.
    drawn : whether writing takes a browser, and a while.
    """

    extension: str
    title: str
    media_type: str
    write: Callable[[go.Figure, Look], bytes]
    drawn: bool = False


@dataclass(frozen=True)
class TableText:
    """What goes with a table's numbers: its caption, the label to refer to it by, and the decimals to show."""

    caption: str
    label: str
    digits: Digits = 1


@dataclass(frozen=True)
class TableFormat:
    """A format for tables; ``write`` gives the file's bytes."""

    extension: str
    title: str
    media_type: str
    write: Callable[[pd.DataFrame, TableText], bytes]
