import json
import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from ballad import api
from ballad.errors import RunError, SettingsError
from ballad.experiment import Experiment
from ballad.paper.ablations import Ablation, queue_ablation
from ballad.paper.formats import ablation_latex, ablation_records
from ballad.paper.presets import PRESETS
from ballad.store.owners import Owner
from ballad.store.run_store import RunStore
from tests.helpers.claiming import claim
from tests.helpers.outdated import outdate
from tests.helpers.tiny_experiment import tiny_experiment


@pytest.fixture(scope="module")
def where_to_balance(tiny_images: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Ablation:
    """Table 7 on the tiny pictures, with two seeds of one epoch a phase."""
    base = tiny_experiment(tiny_images, tiny_backbone, phase_a__epochs=1, phase_b__epochs=1, budget="tiny")
    store = RunStore(tmp_path_factory.mktemp("ablation-home"))
    group_id = queue_ablation(store, PRESETS["table7"], base, 2)
    api.finish_group_here(store, group_id)
    return Ablation.read(store, group_id)


def test_a_run_that_several_rows_read_is_queued_once(store: RunStore) -> None:
    group_id = queue_ablation(store, PRESETS["table9"], Experiment(), 3)
    assert [store.get(run_id).experiment.seed for run_id in store.group_ids(group_id)] == [0, 1, 2]


def test_rows_that_train_their_own_towers_come_first(store: RunStore) -> None:
    group_id = queue_ablation(store, PRESETS["table7"], Experiment(), 1)
    samplers = [store.get(run_id).experiment.phase_a.sampler for run_id in store.group_ids(group_id)]
    assert samplers == ["instance", "class_balanced", "instance", "class_balanced"]


def test_a_table_without_results_has_its_rows_and_published_numbers(store: RunStore) -> None:
    base = Experiment().with_values({"dataset.source": "imagenet-lt", "backbone.name": "ViT-B/16"})
    table = Ablation.read(store, queue_ablation(store, PRESETS["table1"], base, 1)).table()
    alls = table[table["group"] == "all"].set_index("setting")
    assert alls["seeds"].eq(0).all() and table["mean"].isna().all()
    assert alls.at["ViT-B/16", "published"] == 75.7 and alls.at["ViT-B/16", "same_setup"]


def test_a_run_of_another_release_leaves_its_row_empty(store: RunStore, owner: Owner) -> None:
    group_id = queue_ablation(store, PRESETS["table7"], Experiment(), 1)
    first = store.group_ids(group_id)[0]
    claim(store, owner, first)
    store.finish(first, owner, "done")
    outdate(store, first)
    assert Ablation.read(store, group_id).finished == {}


def test_another_group_is_refused(store: RunStore) -> None:
    group_id, _ = store.create_group("a sweep", [Experiment()], definition={"grid": {}})
    with pytest.raises(RunError, match=f"'{group_id}' is not one of the paper's tables"):
        Ablation.read(store, group_id)


def test_no_seeds_is_refused_before_anything_is_queued(store: RunStore) -> None:
    with pytest.raises(SettingsError, match="seeds = 0"):
        queue_ablation(store, PRESETS["table7"], Experiment(), 0)
    assert store.queued() == []


def test_mean_and_spread_are_those_of_the_runs(where_to_balance: Ablation) -> None:
    table = where_to_balance.table()
    assert table.groupby("setting", sort=False).size().to_dict() == {"none": 4, "A": 4, "B": 4, "A + B": 4}
    for setting, row in table[table["group"] == "all"].set_index("setting").iterrows():
        measured = [
            folder.result()["accuracies"]["ballad"]["test"]["all"]
            for folder in where_to_balance.finished.values()
            if folder.plan().experiment.name == f"Table 7: {setting}"
        ]
        assert len(measured) == row["seeds"] == 2
        assert row["mean"] == pytest.approx(sum(measured) / 2)
        assert row["sd"] == pytest.approx(abs(measured[0] - measured[1]) / math.sqrt(2))
        assert 0 <= row["standard_error"] <= 12.5  # sixteen test pictures
    # No class has more than a hundred pictures.
    assert table.loc[table["group"] == "many", "mean"].isna().all()


def test_published_numbers_of_another_set_are_marked(where_to_balance: Ablation) -> None:
    alls = where_to_balance.table().query("group == 'all'").set_index("setting")
    assert not alls["same_setup"].any()
    assert alls.loc["none", ["published", "published_source"]].tolist() == [62.6, "Table 7, ImageNet-LT, RN50"]
    assert alls.loc["B", ["published", "published_source"]].tolist() == [67.2, "Table 7, ImageNet-LT, RN50"]
    assert alls.at["B", "difference"] == pytest.approx(alls.at["B", "mean"] - 67.2)
    assert alls["budget"].eq("tiny").all()


def test_towers_are_trained_once_for_rows_that_share_them(where_to_balance: Ablation) -> None:
    towers = {folder.plan().towers().key for folder in where_to_balance.finished.values()}
    assert len(where_to_balance.finished) == 8 and len(towers) == 4  # two samplers, two seeds


def test_differences_to_the_baseline(where_to_balance: Ablation) -> None:
    differences = where_to_balance.differences()
    assert differences["setting"].unique().tolist() == ["none", "A", "A + B"]
    assert differences["against"].eq("B").all()
    alls = where_to_balance.table().query("group == 'all'").set_index("setting")["mean"]
    for row in differences.query("group == 'all'").itertuples():
        assert row.difference == pytest.approx(alls[row.setting] - alls["B"])
        assert row.low <= row.difference <= row.high and 0 < row.p_value <= 1
    assert where_to_balance.differences("none")["setting"].unique().tolist() == ["A", "B", "A + B"]
    with pytest.raises(SettingsError, match="Table 7 has no setting 'C'"):
        where_to_balance.differences("C")


def test_records_are_json_without_nan(where_to_balance: Ablation) -> None:
    records = ablation_records(where_to_balance)
    assert json.loads(json.dumps(records, allow_nan=False)) == records
    assert [record["setting"] for record in records] == ["none", "A", "B", "A + B"]
    nothing = dict.fromkeys(("mean", "sd", "standard_error", "difference"))
    assert records[0]["many"] == {**nothing, "published": 77.3}
    assert records[0]["all"]["published"] == 62.6 and records[0]["seeds"] == 2
    assert records[0]["recipe"] == "paper" and records[0]["budget"] == "tiny"


def test_latex_has_a_line_a_setting_and_escapes_names(where_to_balance: Ablation) -> None:
    text = ablation_latex(where_to_balance)
    lines = text.splitlines()
    body = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
    assert [line.split(" & ")[0] for line in body] == ["none", "A", "B", "A + B"]
    # Setting, four measured groups and four published ones.
    assert {line.count(" & ") for line in body} == {8}
    assert r"\begin{tabular}{lrrrrrrrr}" in lines and r"\textbf{" in text and r"62.6 \\" in body[0]
    assert "%" not in text.replace(r"\%", "").replace("% \\usepackage", "")


def test_latex_of_tables_1_to_3_ends_with_the_other_methods(store: RunStore) -> None:
    base = Experiment().with_values({"dataset.source": "places-lt", "backbone.name": "RN50"})
    text = ablation_latex(Ablation.read(store, queue_ablation(store, PRESETS["table2"], base, 1)))
    body = text.split(r"\midrule")
    assert r"RN50 & -- & -- & -- & -- & 46.7 & 48.0 & 42.7 & 46.5 \\" in body[1]
    assert r"Rows with $\dagger$ are quoted from other papers and shown as printed" in body[0]
    assert r"OLTR, ResNet-152 &  &  &  &  & 44.7 & 37.0 & 25.3 & 35.9$\dagger$ \\" in body[2]
    assert r"PaCo, ResNet-152 &  &  &  &  & 37.5 & 47.2 & 33.9 & 41.2 \\" in body[2]


def test_bold_marks_what_cannot_be_told_from_the_best(
    where_to_balance: Ablation, monkeypatch: pytest.MonkeyPatch
) -> None:
    alls = where_to_balance.table().query("group == 'all'").set_index("setting")["mean"]
    best, others = alls.idxmax(), [setting for setting in alls.index if setting != alls.idxmax()]
    p_values = dict(zip(others, (0.01, 0.05, 0.6), strict=True))
    found = pd.DataFrame([{"setting": s, "group": "all", "p_value": p} for s, p in p_values.items()])
    monkeypatch.setattr(Ablation, "differences", lambda self, against: found if against == best else found.head(0))
    lines = [line.split(" & ") for line in ablation_latex(where_to_balance).splitlines() if " & " in line]
    bold = {line[0]: r"\textbf" in line[4] for line in lines if line[0] in alls.index}
    assert bold == {best: True, others[0]: False, others[1]: True, others[2]: True}
    text = ablation_latex(where_to_balance)
    assert "Bold: the best and what cannot be told from it" in text and "mean and s.d. over seeds" in text
    assert "quoted from other papers" not in text


def test_a_single_setting_is_the_best_of_nothing(where_to_balance: Ablation) -> None:
    one = next(iter(where_to_balance.finished))
    text = ablation_latex(replace(where_to_balance, finished={one: where_to_balance.finished[one]}))
    assert "textbf" not in text and "Bold" not in text
