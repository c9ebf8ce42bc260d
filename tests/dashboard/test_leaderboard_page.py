"""The page Leaderboard: launching methods, their table, their trade-off, and what to make of them."""

import shutil

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ballad.experiment import Experiment
from ballad.leaderboard.board import Board
from ballad.leaderboard.formats import leaderboard_latex
from ballad.leaderboard.protocol import ENTRIES, Leaderboard, methods_on, queue_leaderboard
from ballad.store import queries
from dashboard.views.leaderboard.board_tables import board_rows, board_table, ranked
from dashboard.views.leaderboard.request import LeaderboardRequest
from tests.helpers.finished_group import finish_group, finish_run
from tests.helpers.shown import charts, page_opener, tables

open_page = page_opener("leaderboard")
METHODS = ["BALLAD", "cRT", "Nearest class mean"]
NAMES = ("ballad", "crt", "nearest_class_mean")
TABLE = "Every method with its accuracy by shot group, its cost and its links"


@pytest.fixture(autouse=True)
def roots(tiny_images, monkeypatch) -> None:
    monkeypatch.setenv("BALLAD_DATA", str(tiny_images.parent))


def wrong(experiment: Experiment) -> int:
    """BALLAD and the class means are right; cRT is wrong once, and once more with the second seed."""
    return 1 + experiment.adapter_seed if experiment.phase_b.method == "crt" else 0


@pytest.fixture
def launched(store, tiny_images) -> str:
    base = Experiment().with_values({"dataset.source": str(tiny_images), "budget": "tiny", "backbone.name": "demo"})
    return queue_leaderboard(store, Leaderboard(base, NAMES, "zero_shot", 2))


@pytest.fixture
def finished(store, launched) -> str:
    finish_group(store, launched, wrong)
    return launched


def words(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption, *app.subheader])


def button(app: AppTest, label: str):
    return next(each for each in app.button if each.label.startswith(label))


def test_an_empty_store_says_what_each_method_tries_and_what_it_takes(app, tiny_images):
    app = open_page(app, dataset=tiny_images.name)
    assert "No leaderboard yet" in words(app)
    tried = tables(app)["What each method tries on validation"].set_index("Method")["Tried on validation"]
    assert tried["BALLAD"] == "residual_factor 0.1, 0.2, 0.3, 0.5 (4 points)" and len(tried) == len(
        methods_on("zero_shot")
    )
    assert "0 of 64 runs" in words(app) and "Expected time: not yet measured for Features" in words(app)


def test_one_button_queues_the_runs_and_shows_their_progress(app, store, tiny_images):
    app = open_page(app, dataset=tiny_images.name, methods=METHODS, seeds="2")
    assert "0 of 5 runs" in words(app)
    button(app, "Launch 5 runs").click().run()
    assert not app.exception
    (group,) = queries.groups(store).to_dict("records")
    board = Leaderboard.parse(group["definition"])
    assert (board.methods, board.seeds, board.towers, board.searched) == (NAMES, 2, "zero_shot", True)
    assert app.query_params["board"] == group["id"] and "0 of 5 runs have ended" in app.progress[0].text
    button(app, "Cancel the rest").click().run()
    assert {run.status for run in map(store.get, store.group_ids(group["id"]))} == {"cancelled"}


def test_a_guest_sees_the_board_and_cannot_launch(app, finished, tiny_images):
    app.secrets["auth"] = {"client_id": "workbench", "cookie_secret": "x"}
    app.secrets["workbench"] = {"editors": ["*@example.org"]}
    app.user = {"is_logged_in": True, "email": "eve@elsewhere.org", "sub": "2"}
    app = open_page(app, board=finished, launcher="true", dataset=tiny_images.name)
    assert button(app, "Launch").disabled and TABLE in tables(app)


def test_rows_come_in_as_runs_finish(app, store, launched):
    run_id = next(each for each in store.group_ids(launched) if store.get(each).experiment.phase_b.method == "crt")
    finish_run(store, run_id, 1)
    app = open_page(app, board=launched)
    assert tables(app)[TABLE]["Method"].tolist() == ["Zero-shot", "cRT"]
    assert "Runs to come: BALLAD, cRT, Nearest class mean" in words(app)


def test_the_table_is_ranked_and_measured_against_ballad(app, finished):
    app = open_page(app, board=finished)
    table = tables(app)[TABLE].set_index("Method")
    assert table.index.tolist() == ["Zero-shot", "BALLAD", "Nearest class mean", "cRT"]
    # 15 and 14 of 16 test images, 11 and 10 of 12 validation images.
    crt = table.loc["cRT", ["All", "Validation", "Seeds"]].tolist()
    assert crt == ["90.6 ± 4.4", "87.5 ± 5.9", "2"] and table.at["cRT", "Above BALLAD"].startswith("−9.4 [")
    assert table.at["Nearest class mean", "Above BALLAD"] == "+0.0 [+0.0, +0.0]"
    assert "Budget tiny" in app.warning[0].value
    app.segmented_control(key="rank").set_value("none").run()
    assert tables(app)[TABLE]["Method"].tolist() == ["Zero-shot", *METHODS]


def test_each_row_leads_to_its_runs_its_confusion_and_its_comparison(app, store, finished):
    table = tables(open_page(app, board=finished))[TABLE].set_index("Method")
    runs = {
        (run.experiment.phase_b.method, run.experiment.adapter_seed): run.id
        for run in map(store.get, store.group_ids(finished))
    }
    first, second = runs["crt", 0], runs["crt", 1]
    assert table.at["cRT", "runs"] == f"/runs?run={first}&run={second}"
    assert table.at["cRT", "confusion"] == f"/confusion?run={first}&model=crt"
    others = f"&run={runs['ballad', 0]}&run={runs['ballad', 1]}"
    assert table.at["cRT", "compare"] == f"/compare?run={first}&run={second}{others}"
    assert table.at["Zero-shot", "compare"].endswith("&models=every")


def test_the_recommendation_is_chosen_on_validation(app, finished):
    said = words(open_page(app, board=finished))
    assert "Zero-shot is the best on validation (100.0 %); on test it reaches 100.0 %." in said
    assert "- BALLAD, 0.0 points, 95 % interval 0.0 to 0.0; no shot group tells them apart either." in said


def test_a_board_without_many_shot_classes_says_that_there_is_no_trade_off(app, finished):
    figure = charts(open_page(app, board=finished))["Few-shot against many-shot accuracy of every method"]
    assert figure["layout"]["annotations"][0]["text"] == "No row has both many-shot and few-shot classes."


def test_a_set_without_validation_says_what_that_means_and_offers_to_set_images_aside(
    app, store, tiny_images, tmp_path
):
    images = tiny_images.parent / "no-val"
    if not images.exists():
        shutil.copytree(tiny_images, images, ignore=shutil.ignore_patterns("val"))
    base = Experiment().with_values({"dataset.source": str(images)})
    group_id = queue_leaderboard(store, Leaderboard(base, ("ballad",), "zero_shot", 1, searched=False))
    finish_group(store, group_id, lambda _: 1)
    app = open_page(app, board=group_id)
    assert "no validation split, so nothing can be searched" in app.warning[0].value
    assert "Without a validation split, nothing but test images can rank these 2 rows" in words(app)
    button(app, "Set 1 image per class aside").click().run()
    assert not app.exception and app.number_input(key="validation").value == 1
    button(app, "Launch 1 run").click().run()
    board = Leaderboard.parse(queries.groups(store).iloc[0]["definition"])
    assert board.searched and board.methods == ("ballad",) and board.base.dataset.validation_per_class == 1


def test_published_rows_stand_below_and_say_on_which_backbone(store):
    base = Experiment().with_values({"dataset.source": "cifar100-lt"})
    board = Board.read(store, queue_leaderboard(store, Leaderboard(base, ("ballad",), "zero_shot", 1)))
    table = board_table(board, []).set_index("Method")
    assert table.at["BALLAD, ViT-B/16 (published)", "All"] == "77.8"
    assert table.at["OLTR, ResNet-32 (published)", "All"] == "41.2 †"
    text = leaderboard_latex(board, [])
    assert r"BALLAD (published) & ViT-B/16 & 84.9 & 79.7 & 67.3 & 77.8 \\" in text and r"41.2 $\dagger$" in text
    assert set(table.loc["BALLAD, ViT-B/16 (published)"].drop(["Many", "Medium", "Few", "All"])) <= {"–"}


def test_the_latex_table_has_the_papers_columns_and_bold_for_what_cannot_be_told_from_the_best(store, launched):
    # cRT takes all four pictures of a few-shot class for another.
    finish_group(store, launched, lambda each: 4 if each.phase_b.method == "crt" else 0)
    board = Board.read(store, launched)
    rows, _ = board_rows(board)
    text = leaderboard_latex(board, ranked(rows, "all"))
    assert r"Method & Backbone & Many & Medium & Few & All \\" in text and r"\toprule" in text
    assert r"cRT & demo & -- & \textbf{100.0 $\pm$ 0.0} & 66.7 $\pm$ 0.0 & 75.0 $\pm$ 0.0 \\" in text
    assert r"Zero-shot & demo & -- & \textbf{100.0} & \textbf{100.0} & \textbf{100.0} \\" in text


class TestRequest:
    def request(self, **changes) -> LeaderboardRequest:
        asked = {"dataset": "cifar100-lt", "backbone": "RN50", "weights": None, "budget": "full", "seeds": 2}
        more = {"towers": "phase_a", "vary": "run", "methods": tuple(ENTRIES), "set_aside": 0}
        return LeaderboardRequest(**{**asked, **more, **changes})

    @pytest.mark.parametrize(
        "changes",
        [{}, {"weights": "yfcc15m", "set_aside": 3}, {"methods": ("ballad", "crt"), "budget": "small"}],
    )
    def test_the_command_asks_for_the_same(self, changes):
        from ballad.cli import _parser
        from ballad.cli.settings import experiment_from

        request = self.request(**changes)
        options = _parser().parse_args(request.command.removeprefix("python -m ballad ").split())
        assert experiment_from(options) == request.base
        assert (options.towers, options.vary, options.seeds) == ("phase_a", "run", 2)
        assert tuple(options.methods or ENTRIES) == request.methods


def test_rows_without_a_number_are_ranked_last(store, finished):
    rows, _ = board_rows(Board.read(store, finished))
    assert [row.name for row in ranked(rows, "many")] == [row.name for row in rows]
    assert isinstance(board_table(Board.read(store, finished), rows), pd.DataFrame)
