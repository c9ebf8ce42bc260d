"""The page Compare: seeds as one row, differences against noise, the paper's rows, settings, the export pack."""

import io
import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest

from ballad.home import run_dir
from ballad.paper import published as paper
from ballad.store import queries
from dashboard.figures.differences import difference_intervals
from dashboard.views.compare.comparison import (
    accuracy_table,
    comparison_rows,
    current_label,
    difference_table,
    differences,
    different_settings,
    latest_rows,
    main_results,
    published_accuracies,
    published_label,
    row_accuracies,
)
from dashboard.views.compare.comparison_pack import comparison_pack
from tests.helpers.outdated import outdate
from tests.helpers.run_folders import GREEN, RED, finished
from tests.helpers.shown import charts, page_opener, tables
from tests.helpers.stored_runs import done

open_page = page_opener("compare")
HALF_WRONG = {"ballad": dict.fromkeys(range(8), RED)}
PUBLISHED = "BALLAD, RN50, ImageNet-LT, Table 1"


def listed(store, run_ids, names=None) -> pd.DataFrame:
    return pd.DataFrame({"id": run_ids, "name": names or ["run"] * len(run_ids)})


def test_an_empty_store_says_what_will_be_here(app):
    app = open_page(app)
    assert any("No finished run yet" in element.value for element in app.markdown)


def test_a_finished_run_without_a_folder_still_has_its_accuracies(app, store):
    done(store, name="first")
    table = tables(open_page(app))["Accuracy of each setting"]
    assert table.values.tolist() == [["first", "this workbench", "1 seed", "80.0", "60.0", "40.0", "62.5"]]


def test_a_run_of_another_release_is_left_out_with_a_word(app, store):
    done(store, name="first")
    outdate(store, done(store, name="old"))
    app = open_page(app)
    assert app.warning[0].value.startswith("old · ") and "this release does not know" in app.warning[0].value
    assert tables(app)["Accuracy of each setting"]["Setting"].tolist() == ["first"]


class TestRows:
    def test_seeds_are_one_row_with_their_spread(self, store, tiny_images):
        ids = [
            finished(store, tiny_images, {"ballad": {4: RED}}, seed=0),  # 15 of 16
            finished(store, tiny_images, {"ballad": {4: RED, 5: RED, 6: RED}}, seed=1),  # 13 of 16
            finished(store, tiny_images, {}, seed=2, phase_b__residual_factor=0.5),
        ]
        rows = comparison_rows(store, listed(store, ids), every_model=False)
        assert [(row.label, row.run_ids) for row in rows] == [
            ("run (residual_factor 0.2)", (ids[0], ids[1])),
            ("run (residual_factor 0.5)", (ids[2],)),
        ]
        whole = row_accuracies(store, rows, "test").query("group == 'all'")
        assert whole["mean"].tolist() == [87.5, 100]
        assert whole["sd"].tolist() == pytest.approx([100 * 2 / 16 / 2**0.5, np.nan], nan_ok=True)
        cells = accuracy_table(row_accuracies(store, rows, "test"))
        assert cells[["Seeds", "Many", "All"]].values.tolist() == [
            ["2 seeds, one Phase A each", "–", "87.5 ± 8.8"],
            ["1 seed", "–", "100.0"],
        ]

    def test_adapter_seeds_on_one_phase_a_are_told_from_whole_runs(self, store, tiny_images):
        ids = [finished(store, tiny_images, {}, phase_b__seed=seed) for seed in (0, 1)]
        rows = comparison_rows(store, listed(store, ids), every_model=False)
        table = accuracy_table(row_accuracies(store, rows, "test"))
        assert table["Seeds"].tolist() == ["2 adapter seeds, one Phase A"]

    def test_a_row_of_seeds_is_called_what_its_runs_share(self, store, tiny_images):
        ids = [finished(store, tiny_images, {}, seed=seed) for seed in (0, 1)]
        (row,) = comparison_rows(store, listed(store, ids, ["λ=0.2 seed=0", "λ=0.2 seed=1"]), every_model=False)
        assert row.label == "λ=0.2"

    def test_the_same_seed_counts_once(self, store, tiny_images):
        ids = [finished(store, tiny_images, {}), finished(store, tiny_images, {})]
        (row,) = comparison_rows(store, listed(store, ids), every_model=False)
        assert row.run_ids == (ids[0],)

    def test_models_that_a_setting_cannot_change_are_shared(self, store, tiny_images):
        ids = [finished(store, tiny_images, {}, phase_b__residual_factor=factor) for factor in (0.2, 0.4)]
        rows = comparison_rows(store, listed(store, ids, ["a", "b"]), every_model=True)
        assert [row.label for row in rows] == ["Zero-shot of a", "Phase A of a", "BALLAD of a", "BALLAD of b"]
        assert different_settings(store, rows)["phase_b.residual_factor"].tolist() == pytest.approx(
            [np.nan, np.nan, 0.2, 0.4], nan_ok=True
        )


class TestDifferences:
    def test_what_exceeds_noise_gets_a_star(self, store, tiny_images):
        ids = [
            finished(store, tiny_images, HALF_WRONG),
            finished(store, tiny_images, {}, phase_b__residual_factor=0.5),
            finished(store, tiny_images, {"ballad": {**HALF_WRONG["ballad"], 0: GREEN}}, phase_b__residual_factor=0.6),
        ]
        rows = comparison_rows(store, listed(store, ids, ["half", "all", "same"]), every_model=False)
        found, apart = differences(rows, rows[0], "test")
        assert not apart
        cells = difference_table(found).set_index("Setting")
        # Blue and green are all wrong in one run and all right in the other, whatever images are drawn.
        assert cells.at["all", "All"] == "+50.0 [+50.0, +50.0] *"
        assert cells.at["same", "All"] == "+0.0 [+0.0, +0.0]"
        assert cells["Many"].tolist() == ["–", "–"]

    def test_runs_on_other_images_are_named(self, store, tiny_images, tmp_path):
        other = tmp_path / "other"
        shutil.copytree(tiny_images, other)
        (other / "test" / "red" / "0.png").unlink()
        ids = [finished(store, tiny_images, {}), finished(store, other, {})]
        rows = comparison_rows(store, listed(store, ids, ["one", "two"]), every_model=False)
        found, apart = differences(rows, rows[0], "test")
        assert found.empty and apart == ["two"]

    def test_marks_within_noise_are_hollow(self):
        found = pd.DataFrame(
            {
                "setting": ["a", "b"],
                "group": "few",
                "difference": [1.0, 2.0],
                "low": [-1.0, 1.0],
                "high": [3.0, 3.0],
                "p_value": [0.4, 0.01],
            }
        )
        (few,) = difference_intervals(found).data
        assert few.marker.symbol == ("triangle-up-open", "triangle-up")
        assert list(few.error_x.arrayminus) == [2, 1]


def test_a_link_opens_runs_models_and_published_rows(app, store, tiny_images):
    ids = [finished(store, tiny_images, HALF_WRONG, name="half"), finished(store, tiny_images, {}, name="other")]
    app = open_page(app, run=ids[:1], models="Every model", published=PUBLISHED)
    table = tables(app)["Accuracy of each setting"].set_index("Setting")
    assert table["Source"].to_dict() == {
        "Zero-shot of half": "this workbench",
        "Phase A of half": "this workbench",
        "BALLAD of half": "this workbench",
        PUBLISHED: "published (arXiv 2111.14745)",
    }
    assert table.at[PUBLISHED, "All"] == "67.2" and table.at[PUBLISHED, "Seeds"] == ""
    assert any("τ = 1" in element.value for element in app.markdown)


def test_a_reduced_budget_is_said_beside_published_rows(app, store, tiny_images):
    finished(store, tiny_images, {}, budget="10 % of the epochs")
    app = open_page(app, published=PUBLISHED)
    assert "10 % of the epochs" in app.warning[0].value


def test_only_settings_that_differ_are_shown(app, store, tiny_images):
    for seed, factor in enumerate((0.2, 0.4, 0.6)):
        finished(store, tiny_images, {}, name=f"λ {factor}", phase_b__residual_factor=factor, seed=seed)
    app = open_page(app)
    assert tables(app)["The settings in which the rows differ"].values.tolist() == [
        ["phase_b.residual_factor", "0.6", "0.4", "0.2"]
    ]
    assert "Settings and accuracies as parallel coordinates" in charts(app)


def test_accuracies_stay_where_a_folder_is_gone(app, store, tiny_images):
    ids = [finished(store, tiny_images, {}, phase_b__residual_factor=factor) for factor in (0.2, 0.4)]
    shutil.rmtree(run_dir(store.home, ids[0]))
    app = open_page(app)
    assert f"no finished run '{ids[0]}'" in app.error[0].value
    assert len(tables(app)["Accuracy of each setting"]) == 2


def test_published_rows_keep_what_the_paper_does_not_print_empty():
    tidy = published_accuracies(paper.published("table9"))
    assert tidy["published"].all()
    few = tidy[(tidy["group"] == "few") & tidy["setting"].str.startswith("zero-shot, RN101")]
    assert len(few) == 3 and few["mean"].isna().all()


def test_a_link_to_a_row_under_its_former_name_still_opens_it(app, store, tiny_images):
    finished(store, tiny_images, {})
    app = open_page(app, published=["zero-shot CLIP, RN50, ImageNet-LT, Table 9", PUBLISHED])
    shown = tables(app)["Accuracy of each setting"].set_index("Setting")
    assert shown.at["zero-shot, RN50, ImageNet-LT, Table 9", "All"] == "58.2" and PUBLISHED in shown.index
    labels = {published_label(row) for _, row in paper.published().iterrows()}
    assert current_label("Phase A, unbalanced, RN50, ImageNet-LT, Table 4") in labels
    assert current_label("Phase A, unbalanced, RN50, ImageNet-LT, Table 5") in labels
    assert current_label("Phase A, unbalanced, RN50, ImageNet-LT, Table 7") in labels


def test_every_published_row_has_a_label_of_its_own():
    rows = paper.published()
    assert len({published_label(row) for _, row in rows.iterrows()}) == len(rows)
    assert rows[main_results(rows)].groupby(["dataset", "backbone"]).size().eq(2).all()  # BALLAD and zero-shot


def test_the_pack_holds_comparison_confusion_settings_and_readme(store, tiny_images, monkeypatch):
    monkeypatch.setattr("choreographer.browsers.Chromium.find_browser", lambda **_: None)  # pictures take seconds
    ids = [finished(store, tiny_images, HALF_WRONG), finished(store, tiny_images, {}, phase_b__residual_factor=0.5)]
    rows = comparison_rows(store, listed(store, ids, ["half", "all"]), every_model=False)
    found, _ = differences(rows, rows[0], "test")
    content = comparison_pack(
        store,
        rows,
        "test",
        labels=dict(zip(ids, ["half", "all"], strict=True)),
        accuracies=row_accuracies(store, rows, "test"),
        found=found,
        baseline="half",
        differing=different_settings(store, rows),
    )
    pack = zipfile.ZipFile(io.BytesIO(content))
    names = set(pack.namelist())
    assert {
        "README.md",
        "versions.txt",
        "settings/half.yaml",
        "figures/comparison.html",
        "figures/differences_data.csv",
        "figures/confusion-ballad-of-half-test.html",
        "tables/comparison.tex",
        "tables/settings.md",
        "tables/classes-ballad-of-all-test.csv",
    } <= names
    assert "+50.0" in pack.read("tables/differences.md").decode()
    assert "from half on the test split" in pack.read("README.md").decode()


def test_the_first_choice_takes_every_seed_of_a_row(app, store, tiny_images):
    for factor in (0.2, 0.4, 0.6):
        for seed in range(3):
            finished(store, tiny_images, {}, phase_b__residual_factor=factor, seed=seed)
    runs = queries.runs(store)
    assert latest_rows(store, runs, 4) == runs["id"].head(6).tolist()
    assert latest_rows(store, runs, 6) == runs["id"].head(6).tolist()
    app = open_page(app)
    assert tables(app)["Accuracy of each setting"]["Seeds"].tolist() == ["3 seeds, one Phase A each"] * 3
    assert not any("Not all finished seeds" in each.value for each in app.caption)


def test_a_row_that_is_cut_says_so(app, store, tiny_images):
    ids = [finished(store, tiny_images, {}, name="half", seed=seed) for seed in range(3)]
    app = open_page(app, run=ids[:2])
    assert any("half: 2 of 3" in each.value for each in app.caption)
