import subprocess
import sys

import pytest

from ballad.errors import SettingsError
from ballad.paper.published import (
    PLACES,
    SHOT_GROUP_CLASSES,
    TABLES,
    TENSIONS,
    accuracy_from_groups,
    published,
    tensions,
)

COLUMNS = ["table", "dataset", "setting", "backbone", "epochs", "many", "medium", "few", "all", "mark", "note"]
GROUPS = ["many", "medium", "few"]


def test_rows_are_tidy():
    rows = published()
    assert rows.columns.tolist() == COLUMNS
    assert set(rows["table"]) == set(PLACES) and len(rows) == 103
    assert set(rows["dataset"]) <= set(SHOT_GROUP_CLASSES)
    assert rows["all"].between(0, 100).all()
    assert rows[GROUPS].select_dtypes("float").shape == rows[GROUPS].shape
    assert rows[["epochs", "note", "setting"]].notna().all(axis=None)
    assert not rows.duplicated(["table", "dataset", "setting", "backbone"]).any()


def test_only_rows_quoted_from_others_break_the_shot_weighted_identity():
    complete = published().dropna(subset=GROUPS)
    implied = [accuracy_from_groups(*row) for row in complete[["dataset", *GROUPS]].itertuples(index=False)]
    apart = (complete["all"] - implied).abs() > 0.15
    assert apart.sum() == 12 and (complete["mark"] == "†").eq(apart).all()
    assert set(complete.loc[apart, "table"]) == {"table1", "table2", "table3"}
    assert not complete.loc[apart, "setting"].isin(["BALLAD", "zero-shot"]).any()


def test_a_marked_row_says_what_its_groups_give():
    oltr = published("table2").set_index("setting").loc["OLTR"]
    # (131 · 44.7 + 163 · 37.0 + 71 · 25.3) / 365
    assert oltr["all"] == 35.9 and oltr["note"].endswith("; † as printed; its groups give 37.5")


def test_group_accuracies_are_given_all_or_none():
    given = published()[GROUPS].notna().sum(axis=1)
    assert given.isin([0, 3]).all()


def test_identity_by_hand():
    assert accuracy_from_groups("CIFAR100-LT", 80, 60, 40) == pytest.approx(0.35 * 80 + 0.35 * 60 + 0.30 * 40)
    assert accuracy_from_groups("Places-LT", 50, 50, 50) == pytest.approx(50)


def test_class_counts_are_those_of_the_datasets():
    assert {name: sum(counts.values()) for name, counts in SHOT_GROUP_CLASSES.items()} == {
        "ImageNet-LT": 1000,
        "Places-LT": 365,
        "CIFAR100-LT": 100,
    }


def test_one_table():
    rows = published("table1")
    assert set(rows["dataset"]) == {"ImageNet-LT"} and rows.index.tolist() == list(range(len(rows)))
    ours = rows[rows["setting"] == "BALLAD"].set_index("backbone")
    assert ours["all"].to_dict() == {"RN50": 67.2, "RN101": 70.5, "ViT-B/16": 75.7, "RN50x16": 76.5}
    assert ours["epochs"].eq("50+10").all()
    assert rows.loc[rows["setting"] == "PaCo", "all"].tolist() == [57.0, 58.2, 60.0]


@pytest.mark.parametrize("ask", [published, tensions])
def test_an_unknown_table_is_named_with_the_known_ones(ask):
    with pytest.raises(SettingsError, match=r"no numbers for 'table11'; it does for table1, .*figure5"):
        ask("table11")


def test_tensions_are_told_where_they_matter():
    assert len(tensions()) == len(TENSIONS)
    assert any("62,500" in note for note in tensions("table2"))
    assert not any("62,500" in note for note in tensions("table3"))
    assert all(any("τ = 1" in note for note in tensions(table)) for table in TABLES)
    assert {place for tension in TENSIONS for place in tension.places} <= set(PLACES)


def test_values_in_which_the_paper_differs_are_in_the_rows_as_in_the_notes():
    rows = published().set_index(["table", "setting"])["all"]
    phase_a = next(note for note in tensions("table7") if "Phase A alone" in note)
    for place, setting in (
        ("table4", "Phase A, pretrained image tower, pretrained text tower"),
        ("table5", "both towers tuned"),
    ):
        assert f"{rows[place, setting]} in Table {place.removeprefix('table')}" in phase_a
    assert f"and {rows['figure4', 'fine-tuned']} " in phase_a and "62.6 in Table 7" in phase_a
    best = next(note for note in tensions("figure5") if "λ = 0.2" in note)
    assert str(rows["figure5", "lambda = 0.2"]) in best and "67.2 in Tables 1 and 6–10" in best


def test_a_reader_may_change_what_they_were_given():
    given = published()
    given.loc[:, "all"] = 0.0
    assert published()["all"].min() > 0


def test_reading_needs_no_heavy_library():
    code = (
        "import sys; from ballad.paper.published import published;"
        "import ballad.analysis.evaluation, ballad.analysis.confusion, "
        "ballad.analysis.projection, ballad.analysis.separation; published(); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'sklearn', 'umap', 'openTSNE', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
