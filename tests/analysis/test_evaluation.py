import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from ballad.analysis.evaluation import calibration_bins, evaluate, expected_calibration_error, group_accuracies
from ballad.analysis.predictions import Predictions
from ballad.errors import DataError


def class_table(groups):
    return pd.DataFrame(
        {
            "class_id": range(len(groups)),
            "class_name": [f"class {k}" for k in range(len(groups))],
            "group": groups,
            "train_count": [{"many": 200, "medium": 50, "few": 5}[group] for group in groups],
        }
    )


def from_top_classes(labels, top_classes, probabilities=None):
    top_classes = np.asarray(top_classes)
    if probabilities is None:
        probabilities = np.full(top_classes.shape, 0.1, np.float32)
    return Predictions(np.asarray(labels), top_classes, np.asarray(probabilities, np.float32))


@pytest.fixture
def by_hand():
    """Classes 0, 1 many, 2 few, 3 few without images; 4 + 1 + 2 images, 3 + 0 + 1 of them right."""
    predictions = from_top_classes([0, 0, 0, 0, 1, 2, 2], [[0, 1], [0, 1], [0, 2], [2, 0], [0, 1], [2, 0], [1, 3]])
    return evaluate(predictions, class_table(["many", "many", "few", "few"]))


def test_groups_average_classes_and_all_counts_images(by_hand):
    assert by_hand.accuracy() == {
        "many": pytest.approx((75 + 0) / 2),
        "medium": None,
        "few": pytest.approx(50),
        "all": pytest.approx(100 * 4 / 7),
    }
    groups = by_hand.groups.set_index("group")
    assert groups["classes"].to_dict() == {"many": 2, "medium": 0, "few": 1, "all": 3}
    assert groups["images"].to_dict() == {"many": 5, "medium": 0, "few": 2, "all": 7}
    assert np.isnan(groups.loc["medium", "accuracy"])
    assert groups.loc["few", "standard_error"] == pytest.approx(100 * np.sqrt(0.5 * 0.5 / 2))
    assert groups.loc["all", "standard_error"] == pytest.approx(100 * np.sqrt(4 / 7 * 3 / 7 / 7))


def test_classes(by_hand):
    table = by_hand.per_class
    assert table["test_count"].tolist() == [4, 1, 2, 0]
    np.testing.assert_allclose(table["accuracy"], [75, 0, 50, np.nan])
    # Predicted: class 0 four times (3 right), 1 once (0), 2 twice (1), 3 never.
    np.testing.assert_allclose(table["precision"], [75, 0, 50, np.nan])
    np.testing.assert_allclose(table["f1"], [75, 0, 50, np.nan])


def test_summary(by_hand):
    assert by_hand.summary["top5"] == pytest.approx(100 * 6 / 7)
    assert by_hand.summary["macro_f1"] == pytest.approx(125 / 3)
    assert by_hand.summary["balanced_error"] == pytest.approx(100 - 125 / 3)
    assert by_hand.summary["images"] == 7


def test_confusion_keeps_the_samples_behind_each_cell(by_hand):
    cells = {(row.true, row.predicted): list(row.sample_ids) for row in by_hand.confusion.itertuples()}
    assert cells == {(0, 0): [0, 1, 2], (0, 2): [3], (1, 0): [4], (2, 1): [6], (2, 2): [5]}
    assert by_hand.confusion["count"].tolist() == [3, 1, 1, 1, 1]


def test_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 12, 3000)
    probabilities = rng.dirichlet(np.full(12, 0.3), 3000).astype(np.float32)
    probabilities[np.arange(3000), labels] += 0.2
    order = np.argsort(-probabilities, axis=1)[:, :5]
    predictions = from_top_classes(labels, order, np.take_along_axis(probabilities, order, axis=1))
    report = evaluate(predictions, class_table(["many"] * 4 + ["medium"] * 4 + ["few"] * 4))

    predicted = order[:, 0]
    precision, recall, f1, support = metrics.precision_recall_fscore_support(labels, predicted)
    np.testing.assert_allclose(report.per_class["precision"], 100 * precision)
    np.testing.assert_allclose(report.per_class["recall"], 100 * recall)
    np.testing.assert_allclose(report.per_class["f1"], 100 * f1)
    np.testing.assert_array_equal(report.per_class["test_count"], support)
    assert report.summary["top1"] == pytest.approx(100 * metrics.accuracy_score(labels, predicted))
    assert report.summary["top5"] == pytest.approx(100 * metrics.top_k_accuracy_score(labels, probabilities, k=5))
    assert report.summary["macro_f1"] == pytest.approx(100 * metrics.f1_score(labels, predicted, average="macro"))
    balanced = metrics.balanced_accuracy_score(labels, predicted)
    assert report.summary["balanced_error"] == pytest.approx(100 * (1 - balanced))
    matrix = np.zeros((12, 12), int)
    matrix[report.confusion["true"], report.confusion["predicted"]] = report.confusion["count"]
    np.testing.assert_array_equal(matrix, metrics.confusion_matrix(labels, predicted))
    np.testing.assert_allclose(report.accuracy()["few"], 100 * recall[8:].mean())


def test_no_images_mean_no_accuracy():
    report = evaluate(from_top_classes(np.zeros(0, int), np.zeros((0, 2), int)), class_table(["many", "few"]))
    assert report.accuracy() == dict.fromkeys(("many", "medium", "few", "all"))
    assert report.confusion.empty
    assert np.isnan(report.summary["top1"]) and np.isnan(report.summary["ece"])


def test_predictions_of_another_dataset_are_refused():
    with pytest.raises(DataError, match=r"class 5, but the dataset has 2 classes"):
        evaluate(from_top_classes([0], [[5, 0]]), class_table(["many", "few"]))


def test_group_accuracies_with_unequal_classes():
    labels = np.array([0, 0, 0, 0, 1])
    predicted = np.array([0, 0, 1, 1, 1])
    assert group_accuracies(labels, predicted, ["few", "few"]) == {"many": None, "medium": None, "few": 75, "all": 60}


def test_calibration_error_by_hand():
    # 15 bins: 0.05 in the first (right), 0.06 in the first (wrong), 0.95 in the last (right).
    error = expected_calibration_error(np.array([0.05, 0.06, 0.95]), np.array([True, False, True]))
    assert error == pytest.approx(100 * (2 / 3 * abs(0.5 - 0.055) + 1 / 3 * abs(1 - 0.95)))


def test_calibration_bins_by_hand():
    bins = calibration_bins(np.array([0.05, 0.06, 0.95]), np.array([True, False, True]))
    assert list(bins.columns) == ["confidence", "accuracy", "images"] and list(bins.index) == [0, 1]
    np.testing.assert_allclose(bins, [[5.5, 50, 2], [95, 100, 1]])


def test_a_confidence_on_an_edge_belongs_to_the_bin_below():
    # 0.2 = 3/15 joins 0.19 in (2/15, 3/15]; their gaps of -0.2 and +0.86 add up only if they share the bin.
    assert expected_calibration_error(np.array([0.2, 0.14]), np.array([False, True])) == pytest.approx(
        100 * abs(1 - 0.34) / 2
    )
    assert expected_calibration_error(np.array([0.0, 1.0]), np.array([False, True])) == 0
