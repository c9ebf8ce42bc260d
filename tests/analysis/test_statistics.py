import numpy as np
import pytest

from ballad.analysis.statistics import over_seeds, paired_bootstrap, standard_error


def test_standard_error_of_the_few_shot_group_of_cifar():
    # 30 classes with 100 images each: about 0.9 points at 50 %.
    assert standard_error(np.full(30, 50.0), np.full(30, 100)) == pytest.approx(100 * np.sqrt(0.25 / 3000))


def test_standard_error_with_unequal_and_empty_classes():
    # p = 0.6 over two classes of 10 and 40 images: sqrt(0.24 (1/10 + 1/40)) / 2.
    error = standard_error(np.array([80.0, 40.0, np.nan]), np.array([10, 40, 0]))
    assert error == pytest.approx(100 * np.sqrt(0.24 * 0.125) / 2)
    assert np.isnan(standard_error(np.array([np.nan]), np.array([0])))


def test_standard_error_matches_repeated_test_sets():
    rng = np.random.default_rng(0)
    counts = np.array([5, 20, 80])
    means = 100 * (rng.binomial(counts, 0.7, size=(20_000, 3)) / counts).mean(axis=1)
    assert standard_error(np.full(3, 70.0), counts) == pytest.approx(means.std(), rel=0.03)


def test_over_seeds_by_hand():
    runs = [
        {"many": 60.0, "medium": None, "few": 30.0, "all": 50.0},
        {"many": 64.0, "medium": None, "few": 33.0, "all": 53.0},
    ]
    table = over_seeds(runs).set_index("group")
    assert table.loc["many"].tolist() == pytest.approx([2, 62, np.sqrt(8)])
    assert table.loc["medium", "seeds"] == 0 and np.isnan(table.loc["medium", "mean"])
    alone = over_seeds(runs[:1]).set_index("group")
    assert alone.loc["few", "mean"] == 30 and np.isnan(alone.loc["few", "sd"])


@pytest.fixture
def answers():
    """300 images of 6 classes; B is right more often on the few-shot classes 4 and 5 only."""
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(6), [100, 80, 60, 20, 30, 10])
    correct_a = rng.random((3, len(labels))) < 0.5
    correct_b = np.where(labels >= 4, rng.random((3, len(labels))) < 0.95, correct_a)
    return labels, correct_a, correct_b, ["many", "many", "many", "many", "few", "few"]


def test_difference_is_the_difference_of_the_seed_means(answers):
    labels, correct_a, correct_b, groups = answers
    table = paired_bootstrap(labels, correct_a, correct_b, groups).set_index("group")

    def few(correct):
        return 100 * np.mean([correct[:, labels == k].mean() for k in (4, 5)])

    assert table.loc["few", "difference"] == pytest.approx(few(correct_b) - few(correct_a))
    assert table.loc["all", "difference"] == pytest.approx(100 * (correct_b.mean() - correct_a.mean()))
    assert table.loc["many"].tolist() == [0, 0, 0, 1]
    assert table.loc["medium"].isna().all()
    assert table.loc["few", "low"] < table.loc["few", "difference"] < table.loc["few", "high"]
    assert table.loc["few", "p_value"] == pytest.approx(2 / 2001)


def test_spread_equals_that_of_resampling_image_by_image(answers):
    labels, correct_a, correct_b, groups = answers
    gain = correct_b.mean(axis=0) - correct_a.mean(axis=0)
    rng = np.random.default_rng(2)
    drawn = [
        100 * np.mean([gain[rng.choice(np.flatnonzero(labels == k), (labels == k).sum())].mean() for k in (4, 5)])
        for _ in range(3000)
    ]
    few = paired_bootstrap(labels, correct_a, correct_b, groups, draws=20_000).set_index("group").loc["few"]
    low, high = np.quantile(drawn, [0.025, 0.975])
    # The statistic moves in steps of 100 / (3 seeds · 30 images · 2 classes) = 0.56; two steps are allowed.
    assert few["low"] == pytest.approx(low, abs=1.2)
    assert few["high"] == pytest.approx(high, abs=1.2)


def test_no_real_difference_is_rarely_called_one():
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1], 200)
    found = 0
    for _ in range(200):
        a, b = rng.random((2, 400)) < 0.6
        table = paired_bootstrap(labels, a, b, ["many", "few"], draws=400).set_index("group")
        found += table.loc["all", "p_value"] < 0.05
    assert found <= 22  # 5 % of 200 is 10; more than 22 has a chance below 1 in 1,000


def test_swapping_the_settings_mirrors_the_result(answers):
    labels, correct_a, correct_b, groups = answers
    there = paired_bootstrap(labels, correct_a, correct_b, groups, draws=20_000).set_index("group")
    back = paired_bootstrap(labels, correct_b, correct_a, groups, draws=20_000).set_index("group")
    assert back.loc["all", "difference"] == pytest.approx(-there.loc["all", "difference"])
    assert back.loc["all", "low"] == pytest.approx(-there.loc["all", "high"], abs=0.3)


def test_same_seed_same_interval(answers):
    labels, correct_a, correct_b, groups = answers
    first, again, other = (
        paired_bootstrap(labels, correct_a, correct_b, groups, seed=seed, draws=200) for seed in (5, 5, 6)
    )
    assert first.equals(again) and not first.equals(other)


def test_unequal_numbers_of_seeds_are_pooled():
    labels = np.zeros(4, int)
    one_seed = np.array([[True, False, False, False]])
    two_seeds = np.array([[True, True, False, False], [True, True, True, True]])
    table = paired_bootstrap(labels, one_seed, two_seeds, ["few"]).set_index("group")
    assert table.loc["few", "difference"] == pytest.approx(75 - 25)


def test_a_gain_on_every_image_is_a_hundred_points_however_images_are_drawn():
    labels = np.array([0, 0, 1])
    wrong, right = np.zeros((1, 3), bool), np.ones((1, 3), bool)
    table = paired_bootstrap(labels, wrong, right, ["many", "few"], draws=99).set_index("group")
    for group in ("many", "few", "all"):
        assert table.loc[group].tolist() == pytest.approx([100, 100, 100, 0.02])


def test_a_class_of_one_image_has_no_spread():
    labels = np.array([0, 1])
    a, b = np.array([[False, True]]), np.array([[True, False]])
    table = paired_bootstrap(labels, a, b, ["many", "few"], draws=99).set_index("group")
    assert table.loc["many", ["difference", "low", "high"]].tolist() == [100, 100, 100]
    assert table.loc["few", ["difference", "low", "high"]].tolist() == [-100, -100, -100]


def test_results_are_those_of_seed_0_unless_another_is_asked_for(answers):
    labels, correct_a, correct_b, groups = answers
    unasked, asked = (
        paired_bootstrap(labels, correct_a, correct_b, groups, draws=200, **seed) for seed in ({}, {"seed": 0})
    )
    assert unasked.equals(asked)
