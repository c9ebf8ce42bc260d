"""Pure functions from tidy DataFrames to Plotly figures, one kind of figure per file.

Figures set only colours that mean something; the look comes from a template of ``dashboard.theme``, which
``dashboard.ui.charts`` (on a page) or ``dashboard.exports`` (on paper) puts on.
"""
