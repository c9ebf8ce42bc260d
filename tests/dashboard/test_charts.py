import json

import numpy as np
import plotly.graph_objects as go
from streamlit.testing.v1 import AppTest

from dashboard.ui.charts import Point, customdata
from tests.helpers.shown import PATIENCE_S


def test_customdata_of_points_that_are_gone_is_left_out():
    figure = go.Figure([go.Scatter(x=[1, 2], customdata=np.array([10, 20])), go.Scatter(x=[1])])
    points = [Point(0, 1), Point(0, 2), Point(1, 0), Point(5, 0), Point(0, (0, 1))]
    assert customdata(figure, points) == [20]


def page(names=("few",)):
    import plotly.graph_objects as go
    import streamlit as st

    from dashboard.ui.charts import show_chart

    figure = go.Figure([go.Scatter(x=[1, 2], y=[3, 4], name=name) for name in names])
    st.session_state["events"] = show_chart(figure, key="chart", label="Two points", height=300)


def test_the_wrapper_gets_the_figure_both_looks_and_a_revision():
    app = AppTest.from_function(page, default_timeout=PATIENCE_S).run()
    assert not app.exception
    sent = json.loads(app.get("bidi_component")[0].proto.json)
    assert set(json.loads(sent["templates"])) == {"light", "dark"}
    assert sent["height"] == 300 and sent["label"] == "Two points"
    figure = json.loads(sent["figure"])
    assert figure["layout"]["uirevision"] == figure["layout"]["selectionrevision"] == sent["revision"]
    other = AppTest.from_function(page, kwargs={"names": ("many", "few")}, default_timeout=PATIENCE_S).run()
    assert json.loads(other.get("bidi_component")[0].proto.json)["revision"] != sent["revision"]


def test_without_the_wrapper_streamlits_own_chart_stands_in():
    app = AppTest.from_function(page, default_timeout=PATIENCE_S)
    app.session_state["chart_wrapper_failed"] = True
    app.run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1 and not app.get("bidi_component")
    events = app.session_state["events"]
    assert events.clicked is None and events.selected == ()
