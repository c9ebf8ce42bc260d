"""Pages that are opened with a run whose settings this release does not know, or whose plan was removed."""

import pytest

from ballad.home import run_dir
from ballad.stages.file_names import PLAN
from tests.helpers.outdated import outdate
from tests.helpers.run_folders import RED, finished
from tests.helpers.shown import page_opener

CHOSEN = {"embeddings": "left", "confusion": "run", "compare": "runs", "try_a_picture": "run", "new_experiment": "from"}


@pytest.mark.parametrize("page", CHOSEN)
@pytest.mark.parametrize("trouble", ["outdated", "removed"])
def test_no_page_ends_in_an_exception(app, store, tiny_images, page, trouble):
    run_id = finished(store, tiny_images, {"zero_shot": {4: RED}})
    if trouble == "outdated":
        outdate(store, run_id)
    else:
        (run_dir(store.home, run_id) / PLAN).unlink()
    app = page_opener(page)(app, **{CHOSEN[page]: run_id})
    if page == "embeddings":
        assert ("phase_b.gamma" if trouble == "outdated" else "lacks the file") in app.error[0].value
