"""What the server answers beside the pages: Plotly's script and thumbnails."""

from pathlib import Path

import plotly
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from ballad.errors import BalladError, SettingsError
from dashboard.addresses import address
from dashboard.ui.charts import PLOTLY_SCRIPT
from dashboard.ui.thumbnails import MEDIA_TYPE, dataset_thumbnail, thumbnail

_A_DAY = {"Cache-Control": "private, max-age=86400"}


def plotly_script(request: Request) -> Response:
    """The script that Plotly's own package ships; its version is in the address."""
    path = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    return FileResponse(path, media_type="text/javascript", headers=_A_DAY)


def sample_thumbnail(request: Request) -> Response:
    """A sample's picture, or 404 with the sentence that says why not."""
    where = request.path_params
    try:
        picture = thumbnail(where["run_id"], where["split"], where["index"])
    except BalladError as error:
        return PlainTextResponse(str(error), status_code=404)
    return Response(picture, media_type=MEDIA_TYPE, headers=_A_DAY)


def dataset_picture(request: Request) -> Response:
    """A picture of a dataset without a run; 400 for settings that name none, 404 where there is no such picture."""
    where = request.path_params
    try:
        picture = dataset_thumbnail(request.query_params.get("dataset", ""), where["split"], where["index"])
    except SettingsError as error:
        return PlainTextResponse(str(error), status_code=400)
    except BalladError as error:
        return PlainTextResponse(str(error), status_code=404)
    return Response(picture, media_type=MEDIA_TYPE, headers=_A_DAY)


def routes() -> list[Route]:
    """The routes, below ``server.baseUrlPath``."""
    return [
        Route(address(PLOTLY_SCRIPT), plotly_script),
        Route(address("thumbnails/{run_id}/{split}/{index:int}"), sample_thumbnail),
        Route(address("pictures/{split}/{index:int}"), dataset_picture),
    ]
