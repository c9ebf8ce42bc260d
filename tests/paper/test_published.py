import subprocess
import sys

import pytest

from ballad.errors import SettingsError
from ballad.paper.published import SHOT_GROUP_CLASSES, TABLES, TENSIONS, accuracy_from_groups, published, tensions

COLUMNS = ["table", "dataset", "method", "backbone", "epochs", "many", "medium", "few", "all", "note"]
GROUPS = ["many", "medium", "few"]


def test_rows_are_tidy():
    rows = published()
    assert rows.columns.tolist() == COLUMNS
    assert set(rows["table"]) <= set(TABLES)
    assert set(rows["dataset"]) <= set(SHOT_GROUP_CLASSES)
    assert rows["all"].between(0, 100).all()
    assert rows[GROUPS].select_dtypes("float").shape == rows[GROUPS].shape
    assert rows[["epochs", "note", "method"]].notna().all(axis=None)
    assert not rows.duplicated(["table", "dataset", "method", "backbone"]).any()


def test_complete_rows_fulfil_the_shot_weighted_identity():
    for row in published().dropna(subset=GROUPS).itertuples():
        # 0.1 of the paper's rounding, and a hair for binary fractions.
        assert accuracy_from_groups(row.dataset, row.many, row.medium, row.few) == pytest.approx(row.all, abs=0.1001)


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
    assert rows.set_index("backbone").loc["RN50", "all"] == 67.2
    assert rows["epochs"].eq("50+10").all()
    assert published("table6").empty


@pytest.mark.parametrize("ask", [published, tensions])
def test_an_unknown_table_is_named_with_the_known_ones(ask):
    with pytest.raises(SettingsError, match=r"no 'table11'; its tables are table1, .*table10"):
        ask("table11")


def test_tensions_are_told_where_they_matter():
    assert len(tensions()) == len(TENSIONS)
    assert any("62,500" in note for note in tensions("table2"))
    assert not any("62,500" in note for note in tensions("table3"))
    assert all(any("τ = 1" in note for note in tensions(table)) for table in TABLES)
    assert {table for tension in TENSIONS for table in tension.tables} <= set(TABLES)


def test_three_values_of_phase_a_are_in_the_rows_as_in_the_note():
    rows = published()
    unbalanced = rows[rows["method"] == "Phase A, unbalanced"].set_index("table")["all"]
    note = next(note for note in tensions("table7") if "61.6" in note)
    assert all(f"{value} in Table {table.removeprefix('table')}" in note for table, value in unbalanced.items())


def test_reading_needs_no_heavy_library():
    code = (
        "import sys; from ballad.paper.published import published;"
        "import ballad.analysis.evaluation, ballad.analysis.confusion, "
        "ballad.analysis.projection, ballad.analysis.separation; published(); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'sklearn', 'umap', 'openTSNE', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
