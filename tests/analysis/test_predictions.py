from functools import partial

import numpy as np
import pytest
import torch

from ballad.analysis.predictions import BATCH, Predictions, predict, ranked
from ballad.errors import RunError
from ballad.similarity import similarity_logits


def similarity(texts: torch.Tensor, scale: float):
    directions = torch.nn.functional.normalize(texts.float(), dim=1)
    return partial(similarity_logits, text_directions=directions, scale=scale)


def test_probabilities_are_the_softmax_of_scaled_cosines():
    # Cosines of (3, 4) with the axes are 0.6 and 0.8, whatever the lengths; s = ln 9 / 0.2 puts the odds at 9 : 1.
    logits_of = similarity(torch.tensor([[2.0, 0.0], [0.0, 7.0]]), np.log(9) / 0.2)
    predictions = predict(torch.tensor([[3.0, 4.0]]), np.array([1]), logits_of)
    assert predictions.top_classes.tolist() == [[1, 0]]
    np.testing.assert_allclose(predictions.top_probabilities, [[0.9, 0.1]], rtol=1e-5)


def test_batches_and_half_precision_agree_with_one_float_product():
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(BATCH + 3, 8, generator=generator).half()
    texts = torch.randn(7, 8, generator=generator)
    labels = np.zeros(len(images), np.int64)
    predictions = predict(images, labels, similarity(texts, 10.0))

    cosines = torch.nn.functional.cosine_similarity(images.float()[:, None], texts[None], dim=2)
    expected = (10 * cosines).softmax(dim=1).sort(dim=1, descending=True)
    assert predictions.top_classes.shape == (BATCH + 3, 5)
    np.testing.assert_allclose(predictions.top_probabilities, expected.values[:, :5], rtol=1e-4)
    assert np.array_equal(predictions.predicted, expected.indices[:, 0])


@pytest.mark.parametrize("temperature", [1e-6, 1e-4, 1.0, 1e5])
def test_the_ranks_do_not_depend_on_the_temperature(temperature):
    # Cosines 0.9, 0.8, …, -0.9 in a shuffled order: at τ = 1e-4 all but the first have a probability of 0 in float32.
    order = torch.randperm(19, generator=torch.Generator().manual_seed(4))
    cosines = (0.9 - 0.1 * torch.arange(19.0))[order]
    texts = torch.stack([cosines, (1 - cosines**2).sqrt()], dim=1)
    predictions = predict(torch.tensor([[2.0, 0.0]]), np.array([0]), similarity(texts, 1 / temperature))
    assert predictions.top_classes[0].tolist() == torch.argsort(order)[:5].tolist()


def test_the_fifth_class_is_told_apart_where_probabilities_underflow():
    logits = torch.tensor([[0.0, -500.0, -900.0, -400.0, -700.0, -600.0, -800.0]])
    probabilities, classes = ranked(logits, 5)
    assert classes.tolist() == [[0, 3, 1, 5, 4]]
    assert probabilities.tolist() == [[1, 0, 0, 0, 0]]


def test_parquet_round_trip_and_no_partial_file_left(tmp_path):
    predictions = Predictions(np.array([0, 2]), np.array([[0, 1, 2], [1, 0, 2]]), np.float32([[0.5, 0.3, 0.2]] * 2))
    path = tmp_path / "predictions.parquet"
    predictions.save(path)
    loaded = Predictions.load(path)
    for name in ("labels", "top_classes", "top_probabilities"):
        assert np.array_equal(getattr(loaded, name), getattr(predictions, name))
        assert getattr(loaded, name).dtype == getattr(predictions, name).dtype
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [None, b"not parquet"])
def test_a_missing_or_foreign_file_is_named(tmp_path, content):
    path = tmp_path / "predictions.parquet"
    if content:
        path.write_bytes(content)
    with pytest.raises(RunError, match=r"predictions\.parquet holds no predictions"):
        Predictions.load(path)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_logits_that_are_not_finite_are_refused(bad):
    with pytest.raises(RunError, match="The logits of image 1 are not finite: choose a higher"):
        predict(torch.tensor([[1.0, 0.0], [bad, 0.0]]), np.zeros(2, int), lambda features: features)


def test_a_table_of_predictions_has_a_column_for_each_rank_and_is_read_as_it_was_saved(tmp_path):
    predictions = Predictions(np.array([1, 0]), np.array([[1, 2], [2, 0]]), np.array([[0.75, 0.25], [0.5, 0.5]]))
    columns = ["label", "class_1", "class_2", "probability_1", "probability_2"]
    frame = predictions.to_frame()
    assert frame.columns.tolist() == columns
    assert frame.to_numpy().tolist() == [[1, 1, 2, 0.75, 0.25], [0, 2, 0, 0.5, 0.5]]
    predictions.save(tmp_path / "predictions.parquet")
    read = Predictions.load(tmp_path / "predictions.parquet")
    assert read.labels.tolist() == [1, 0] and read.correct.tolist() == [True, False]
    assert read.top_classes.tolist() == [[1, 2], [2, 0]]
    assert read.top_probabilities.tolist() == [[0.75, 0.25], [0.5, 0.5]]
