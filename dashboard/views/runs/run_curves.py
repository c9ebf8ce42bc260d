"""The learning curves of runs, as they stand now."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from ballad.store import queries
from ballad.wording import counted
from dashboard.figures.accuracy_curves import accuracy_curves
from dashboard.figures.training_curves import Quantity, training_curves
from dashboard.reading.curves import accuracy_table, quantity_table, step_table
from dashboard.reading.loaders import images_in_split
from dashboard.reading.workbench import open_store
from dashboard.ui.charts import show_chart
from dashboard.ui.downloads import figure_downloads

STEPS_OF_A_CURVE = 300
LEGEND_ROW = 16
QUANTITIES: dict[Quantity, str] = {"loss": "Training loss", "learning_rate": "Learning rate"}


def show_curves(runs: pd.DataFrame) -> None:
    """Validation accuracy, loss and learning rate by epoch of these rows of :func:`all_runs`."""
    labels = dict(zip(runs["id"], runs["label"], strict=True))
    metrics = queries.epoch_metrics(open_store(), list(labels))
    by_step = queries.step_metrics(open_store(), list(labels), list(QUANTITIES), points=STEPS_OF_A_CURVE)
    accuracy = accuracy_table(metrics, labels)
    name = runs["label"].iloc[0] if len(runs) == 1 else counted(len(runs), "run")
    st.subheader("Accuracy on validation", anchor=False)
    figure = accuracy_curves(accuracy, images=images_in_split(runs["id"], "val"))
    height = 420 + max(0, len(runs) - 4) * LEGEND_ROW
    show_chart(figure, key="accuracy", label="Validation accuracy of each shot group by epoch", height=height)
    figure_downloads(f"accuracy curves {name}", figure, accuracy, key="accuracy")
    for column, (quantity, title) in zip(st.columns(2), QUANTITIES.items(), strict=True):
        with column:
            st.subheader(title, anchor=False)
            table = quantity_table(metrics, labels, quantity)
            figure = training_curves(table, quantity, step_table(by_step, labels, quantity))
            # The legend above holds for all three.
            show_chart(go.Figure(figure, layout_showlegend=False), key=quantity, label=f"{title} by epoch", height=320)
            figure_downloads(f"{title} {name}", figure, table, key=quantity)
