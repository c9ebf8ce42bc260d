import pytest

from ballad.experiment import Experiment
from ballad.paper.counterparts import find_counterpart, rivals
from ballad.paper.presets import BALLAD, PRESETS, ZERO_SHOT, Reference


def on(source: str, backbone: str, **changes: object) -> Experiment:
    values = {"dataset.source": source, "backbone.name": backbone}
    return Experiment().with_values(values | {name.replace("__", "."): value for name, value in changes.items()})


@pytest.mark.parametrize(
    ("source", "backbone", "published"),
    [("imagenet-lt", "RN50", 67.2), ("places-lt", "ViT-B/16", 49.5), ("cifar100-lt", "RN50x16", 63.7)],
)
def test_the_same_set_and_backbone_go_first(source, backbone, published):
    found = find_counterpart(on(source, backbone), [BALLAD])
    assert found.accuracies["all"] == published and found.same_setup


def test_elsewhere_the_paper_s_own_choice_stands_in_and_says_so():
    found = find_counterpart(on("demo", "demo"), [BALLAD])
    assert (found.source, found.same_setup) == ("Table 1, ImageNet-LT, RN50", False)


@pytest.mark.parametrize(
    "change", [{"dataset__classes": 50}, {"dataset__imbalance_ratio": 50}, {"dataset__imbalance_profile": "pareto"}]
)
def test_a_part_of_the_paper_s_set_is_another_set(change):
    assert not find_counterpart(on("cifar100-lt", "RN50", **change), [BALLAD]).same_setup


def test_a_closer_reference_goes_before_a_later_one_on_another_setup():
    on_image = Reference("adapter on image", ("table6",))
    assert find_counterpart(on("demo", "demo"), [on_image, BALLAD]).source == "Table 6, ImageNet-LT, RN50"
    # BALLAD was measured on this very setup.
    assert find_counterpart(on("places-lt", "RN50"), [on_image, BALLAD]).accuracies["all"] == 46.5


def test_groups_that_are_not_printed_stay_unknown():
    accuracies = find_counterpart(on("imagenet-lt", "RN101"), [ZERO_SHOT]).accuracies
    assert accuracies["all"] == 61.2 and list(accuracies) == ["many", "medium", "few", "all"]


def test_nothing_published_is_none():
    assert find_counterpart(on("imagenet-lt", "RN50"), [Reference("lambda = 0.9", ("figure5",))]) is None


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_every_row_finds_what_the_paper_prints_of_it(preset):
    """On the paper's own set and backbone; only Figure 3 and the other λ of Figure 5 are plotted without numbers."""
    dataset = {"table2": "places-lt", "table3": "cifar100-lt"}.get(preset.name, "imagenet-lt")
    for row in preset.rows(on(dataset, "RN50")):
        found = find_counterpart(row.experiment, row.references)
        drawn_alone = preset.name == "figure3" or (preset.name == "figure5" and row.setting != "λ = 0.2")
        assert (found is None) == drawn_alone
        if found is not None:
            elsewhere = {"figure6": ("Figure 4", "Table 1")}.get(preset.name, (preset.place,))
            assert found.same_setup and found.source.startswith(elsewhere)


def test_rows_of_one_table_have_different_counterparts():
    rows = PRESETS["table7"].rows(on("places-lt", "RN50"))
    found = {row.setting: find_counterpart(row.experiment, row.references).accuracies["few"] for row in rows}
    assert found == {"none": 23.4, "A": 25.5, "B": 42.7, "A + B": 44.1}


def test_rivals_are_the_other_methods_of_tables_1_to_3():
    assert rivals("table3")["setting"].tolist() == ["OLTR", "LDAM+DRW", "tau-normalized", "cRT", "RIDE", "TADE"]
    assert len(rivals("table1")) == 22 and rivals("table7").empty and rivals("figure3").empty
