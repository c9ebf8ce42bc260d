import numpy as np
import pytest
import torch

from ballad.analysis.predictions import BATCH, Predictions, predict
from ballad.errors import RunError


def test_probabilities_are_the_softmax_of_scaled_cosines():
    # Cosines of (3, 4) with the axes are 0.6 and 0.8, whatever the lengths; s = ln 9 / 0.2 puts the odds at 9 : 1.
    predictions = predict(
        torch.tensor([[3.0, 4.0]]), torch.tensor([[2.0, 0.0], [0.0, 7.0]]), np.array([1]), logit_scale=np.log(9) / 0.2
    )
    assert predictions.top_classes.tolist() == [[1, 0]]
    np.testing.assert_allclose(predictions.top_probabilities, [[0.9, 0.1]], rtol=1e-5)


def test_batches_and_half_precision_agree_with_one_float_product():
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(BATCH + 3, 8, generator=generator).half()
    texts = torch.randn(7, 8, generator=generator)
    labels = np.zeros(len(images), np.int64)
    predictions = predict(images, texts, labels, logit_scale=10.0)

    cosines = torch.nn.functional.cosine_similarity(images.float()[:, None], texts[None], dim=2)
    expected = (10 * cosines).softmax(dim=1).sort(dim=1, descending=True)
    assert predictions.top_classes.shape == (BATCH + 3, 5)
    np.testing.assert_allclose(predictions.top_probabilities, expected.values[:, :5], rtol=1e-4)
    assert np.array_equal(predictions.predicted, expected.indices[:, 0])


def test_features_that_still_carry_gradients_are_accepted():
    texts = torch.eye(3).requires_grad_()
    assert predict(torch.eye(3).requires_grad_(), texts, np.arange(3), logit_scale=1.0).correct.all()


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
