import pytest
import torch

from ballad.samplers import SAMPLERS
from ballad.training.sampling import EpochSampler, split_into_batches

COUNTS = torch.tensor([900, 90, 9, 1])
LABELS = torch.arange(4).repeat_interleave(COUNTS)[torch.randperm(1000, generator=torch.Generator().manual_seed(3))]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_empirical_frequencies_match(sampler):
    epochs = 50
    drawing = EpochSampler(LABELS, sampler, epochs=epochs)
    drawn = torch.stack([LABELS[drawing.draw(epoch, seed=epoch)] for epoch in range(epochs)])
    expected = torch.stack(
        [SAMPLERS[sampler].probabilities(COUNTS.double(), epoch / (epochs - 1)) for epoch in range(epochs)]
    ).mean(0)
    frequencies = torch.bincount(drawn.flatten(), minlength=4) / drawn.numel()
    # Five standard errors of a frequency over 50,000 independent draws.
    assert torch.all((frequencies - expected).abs() <= 5 * (expected * (1 - expected) / drawn.numel()).sqrt() + 1e-9)


def test_instance_shows_every_image_once():
    assert EpochSampler(LABELS, "instance", epochs=1).draw(0, seed=1).sort().values.equal(torch.arange(1000))


def test_balanced_draws_are_uniform_within_a_class():
    drawing = EpochSampler(LABELS, "class_balanced", epochs=1)
    images = torch.cat([drawing.draw(0, seed) for seed in range(40)])
    of_third = images[LABELS[images] == 2]
    counts = torch.bincount(of_third, minlength=1000)[LABELS == 2]
    assert len(counts) == 9
    assert counts.min() > 0.85 * counts.float().mean() and counts.max() < 1.15 * counts.float().mean()


def test_the_same_seed_draws_the_same_epoch_and_another_does_not():
    drawing = EpochSampler(LABELS, "square_root", epochs=1)
    assert drawing.draw(0, seed=5).equal(drawing.draw(0, seed=5))
    assert not drawing.draw(0, seed=5).equal(drawing.draw(0, seed=6))


def test_a_class_without_images_is_never_drawn():
    labels = torch.tensor([0, 0, 2, 4, 4, 4])
    for per_draw in (1, 2):
        drawing = EpochSampler(labels, "class_balanced", epochs=1, images_per_draw=per_draw)
        drawn = torch.cat([labels[drawing.draw(0, seed)] for seed in range(50)])
        assert set(drawn.tolist()) == {0, 2, 4}


def test_four_in_a_row_gives_batches_of_128_classes_by_4():
    labels = torch.arange(256).repeat_interleave(torch.arange(3, 259))
    drawn = EpochSampler(labels, "class_balanced", epochs=1, images_per_draw=4).draw(0, seed=0)
    first, second = split_into_batches(drawn, 512, drop_last=True)[:2]
    for batch in (first, second):
        assert torch.bincount(labels[batch], minlength=256).unique().tolist() == [0, 4]
    # One round of all classes before any comes again.
    assert set(labels[torch.cat([first, second])].tolist()) == set(range(256))


def test_images_in_a_row_do_not_repeat_until_their_class_is_used_up():
    labels = torch.tensor([0] * 8 + [1] * 8)
    drawn = EpochSampler(labels, "class_balanced", epochs=1, images_per_draw=4).draw(0, seed=2)
    assert drawn.sort().values.equal(torch.arange(16))


def test_last_partial_batch():
    assert [len(b) for b in split_into_batches(torch.arange(10), 4, drop_last=False)] == [4, 4, 2]
    assert [len(b) for b in split_into_batches(torch.arange(10), 4, drop_last=True)] == [4, 4]
    assert [len(b) for b in split_into_batches(torch.arange(3), 4, drop_last=True)] == [3]


@pytest.mark.parametrize("sampler", [name for name, rule in SAMPLERS.items() if not rule.each_image_once])
def test_images_in_a_row_are_of_one_class_whatever_draws_it(sampler):
    labels = torch.arange(6).repeat_interleave(torch.tensor([20, 12, 8, 6, 4, 2]))
    drawn = EpochSampler(labels, sampler, epochs=1, images_per_draw=2).draw(0, seed=4)
    assert len(drawn) == 52
    pairs = drawn.view(-1, 2)
    assert labels[pairs[:, 0]].equal(labels[pairs[:, 1]])
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert len(labels[drawn].unique()) > 3


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("images_per_draw", [1, 4])
def test_a_seed_gives_one_order_whatever_was_drawn_before(sampler, images_per_draw):
    drawing = EpochSampler(LABELS, sampler, epochs=2, images_per_draw=images_per_draw)
    first = drawing.draw(1, seed=5)
    torch.rand(3)
    assert drawing.draw(1, seed=5).equal(first)


def test_the_second_of_two_epochs_draws_classes_equally():
    labels = torch.tensor([0] * 900 + [1] * 100)
    drawing = EpochSampler(labels, "mix_balanced", epochs=2)
    shares = [labels[drawing.draw(epoch, seed=1)].double().mean().item() for epoch in range(2)]
    # Five standard errors over 1,000 draws.
    assert shares == pytest.approx([0.1, 0.5], abs=0.08)


def test_the_last_of_three_epochs_draws_as_class_balanced_does():
    last = EpochSampler(LABELS, "mix_balanced", epochs=3).draw(2, seed=5)
    assert last.equal(EpochSampler(LABELS, "class_balanced", epochs=3).draw(2, seed=5))
