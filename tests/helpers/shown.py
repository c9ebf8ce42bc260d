"""Opening a page of the workbench without a browser, and what it then shows."""

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
from streamlit.testing.v1 import AppTest

PATIENCE_S = 120
"""How long a page may take. Waits end as soon as they can; on a busy machine a page takes its time."""


def page_opener(name: str) -> Callable[..., AppTest]:
    """A function that opens the page under these query parameters, and fails with the page's own error."""

    def open_page(app: AppTest, **query: str | list[str]) -> AppTest:
        for parameter, value in query.items():
            app.query_params[parameter] = value
        app.run()
        app = app.switch_page(f"../pages/{name}.py").run()
        assert not app.exception
        return app

    return open_page


def tables(app: AppTest) -> dict[str, pd.DataFrame]:
    """The tables by their accessible names."""
    return {element.proto.alt: element.value for element in app.dataframe}


def charts(app: AppTest) -> dict[str, dict[str, Any]]:
    """The figures by their accessible names."""
    sent = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    return {data["label"]: json.loads(data["figure"]) for data in sent}


def pictures(app: AppTest) -> str:
    """The HTML of the galleries."""
    return "".join(element.proto.body for element in app.get("html"))
