import math

import pytest
import torch

from ballad.similarity import similarity_logits
from ballad.training.objectives import class_loss, image_to_text_loss, text_to_image_loss

# Three images of classes 0, 0, 2 among three classes.
LOGITS = torch.tensor([[2.0, 1.0, 0.0], [1.0, 5.0, 3.0], [0.0, 4.0, 1.0]])
LABELS = torch.tensor([0, 0, 2])


def test_similarity_is_the_scaled_cosine():
    logits = similarity_logits(torch.tensor([[3.0, 4.0]]), torch.eye(2), scale=10.0)
    assert logits.tolist()[0] == pytest.approx([6.0, 8.0])


def test_class_loss_by_hand():
    expected = -math.log(math.exp(2) / (math.exp(2) + math.exp(1) + math.exp(0)))
    assert class_loss(LOGITS, LABELS)[0].item() == pytest.approx(expected, rel=1e-6)


def test_equation_2_by_hand():
    # Image 0: its own text and the one text of class 2; class 1 is not in the batch, the twin is no negative.
    first = -math.log(math.exp(2) / (math.exp(2) + math.exp(0)))
    # Image 2: its own text, and the text of class 0 once for each of its two images.
    third = -math.log(math.exp(1) / (math.exp(1) + 2 * math.exp(0)))
    losses = image_to_text_loss(LOGITS, LABELS, LABELS)
    assert losses[0].item() == pytest.approx(first, rel=1e-6)
    assert losses[2].item() == pytest.approx(third, rel=1e-6)


def test_equation_2_of_a_part_of_the_batch_equals_the_whole():
    whole = image_to_text_loss(LOGITS, LABELS, LABELS)
    parts = [image_to_text_loss(LOGITS[i : i + 1], LABELS[i : i + 1], LABELS) for i in range(3)]
    assert torch.allclose(whole, torch.cat(parts))


def test_equation_3_by_hand():
    # Text of image 0 (class 0): image 0 against image 2; image 1 is of the same class and left out.
    first = -math.log(math.exp(2) / (math.exp(2) + math.exp(0)))
    # Text of image 2 (class 2): image 2 against images 0 and 1.
    third = -math.log(math.exp(1) / (math.exp(1) + math.exp(0) + math.exp(3)))
    losses = text_to_image_loss(LOGITS, LABELS)
    assert losses[0].item() == pytest.approx(first, rel=1e-6)
    assert losses[2].item() == pytest.approx(third, rel=1e-6)


def test_equation_2_and_3_without_repeated_classes_are_clips_loss():
    z = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(4)
    assert torch.allclose(image_to_text_loss(z, labels, labels).mean(), torch.nn.functional.cross_entropy(z, labels))
    assert torch.allclose(text_to_image_loss(z, labels).mean(), torch.nn.functional.cross_entropy(z.T, labels))


def test_gradients_stay_finite_with_absent_classes():
    z = LOGITS.clone().requires_grad_()
    image_to_text_loss(z, LABELS, LABELS).sum().backward()
    assert torch.isfinite(z.grad).all()
    assert z.grad[:, 1].abs().sum() == 0


def test_classes_that_no_image_of_the_batch_has_count_for_nothing():
    labels = torch.tensor([0, 1])
    whole = image_to_text_loss(LOGITS[:2], labels, labels)
    assert torch.allclose(whole, image_to_text_loss(LOGITS[:2, :2], labels, labels))


def test_every_image_is_compared_with_every_text():
    images = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0], [0.0, 0.0]])
    texts = torch.tensor([[0.0, 1.0], [0.6, 0.8], [1.0, 0.0]])
    expected = [[0, 6, 10], [10, 8, 0], [8, 10, 6], [0, 0, 0]]
    assert torch.allclose(similarity_logits(images, texts, scale=10.0), torch.tensor(expected).float(), atol=1e-5)
