"""Starts, weights and sizes that methods share, worked out by hand."""

import math

import pytest
import torch
import torch.nn.functional as F

from ballad.heads import HEADS
from ballad.heads.ballad import Ballad, BalladOptions
from ballad.heads.head import Context, TrainingData
from ballad.heads.losses import cross_entropy
from ballad.heads.parts import effective_number_weights, for_members, log_priors, uniform
from tests.heads.problem import CLASSES, CONTEXT, DATA, DIM, FEATURES, LABELS, heads_of, started


def of(counts: list[int]) -> TrainingData:
    return TrainingData(torch.tensor(counts), epochs=1)


def test_a_class_without_images_counts_as_one_with_one_image():
    torch.testing.assert_close(log_priors(of([3, 0])), torch.tensor([[[0.75, 0.25]]]).log())
    torch.testing.assert_close(effective_number_weights(of([3, 0]), 0.5), effective_number_weights(of([3, 1]), 0.5))
    head = heads_of("ldam_drw", {"margin": 0.5})
    # (1/16)^¼ = ½ of the largest margin; the empty class has all of it.
    assert head.start(CONTEXT, of([16, 16, 16, 0]))["margin"].flatten().tolist() == [0.25, 0.25, 0.25, 0.5]


def test_random_starts_fill_their_bounds_and_follow_the_seeds():
    weight, bias = uniform([4, 9, 4], (40, 50), (1, 50), bound=0.3)
    assert (weight.shape, bias.shape) == ((3, 40, 50), (3, 1, 50))
    assert weight[0].equal(weight[2]) and not weight[0].equal(weight[1])
    assert not bias[0, 0].equal(weight[0, 0])
    assert weight.min().item() == pytest.approx(-0.3, abs=0.01) and weight.max().item() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(
    "name", ["ballad", "linear_probe", "clip_adapter", "ldam_drw", "lws", "oltr", "reslt", "ride", "sade"]
)
def test_random_weights_start_within_one_over_the_root_of_their_inputs(name):
    wide = Context(F.normalize(torch.randn(20, 64, generator=torch.Generator().manual_seed(1)), dim=-1), 20.0)
    images = torch.arange(20).repeat_interleave(2)
    data = TrainingData(
        torch.full((20,), 2), 4, lambda: iter([(torch.randn(40, 64, generator=torch.Generator()), images)])
    )
    state, inputs = heads_of(name).start(wide, data), {"up": 16}
    drawn = state.keys() & {"weight", "weights.image", "biases.image", "selector", "hallucinator", "down", "up"}
    assert drawn
    for entry in drawn:
        bound = inputs.get(entry, 64) ** -0.5
        assert bound * 0.9 < state[entry].abs().max().item() <= bound, entry


def test_the_layers_of_a_bottleneck_start_from_different_numbers():
    head = heads_of("clip_adapter", {"reduction": 1}, {"reduction": 1}, seeds=(4, 5))
    state = head.start(CONTEXT, DATA)
    for member in range(2):
        assert not state["down"][member].equal(state["up"][member])


def test_a_bottleneck_has_at_least_one_entry():
    _, state = started("clip_adapter", {"reduction": DIM + 1})
    assert state["down"].shape == (1, DIM, 1)


def test_what_members_share_is_copied_for_each():
    shared = torch.arange(6.0).view(1, 2, 3)
    copies = for_members(shared, 2)
    copies[0] += 1
    assert copies[1].equal(shared[0]) and shared[0, 0, 0] == 0


def test_weighted_cross_entropy_is_that_of_torch_for_each_member():
    logits = torch.randn(2, len(LABELS), CLASSES, generator=torch.Generator().manual_seed(3))
    targets, weights = torch.stack([LABELS, LABELS.flip(0)]), torch.tensor([0.5, 1.0, 2.0, 4.0])
    expected = [F.cross_entropy(logits[m], targets[m], weight=weights) for m in range(2)]
    torch.testing.assert_close(cross_entropy(logits, targets, weights), torch.stack(expected))


def test_a_focal_classifier_starts_at_a_probability_of_one_in_k():
    _, state = started("class_balanced_focal")
    torch.testing.assert_close(state["bias"], torch.full((1, 1, CLASSES), -math.log(CLASSES - 1)))


def test_ride_weights_its_classes_from_half_of_the_training():
    head, state = started("ride", {"diversity": 0.0, "experts": 2})
    logits = head.experts(state, FEATURES, CONTEXT)[0]
    shifted = logits - 30 * state["margin"][0] * F.one_hot(LABELS, CLASSES)[:, None]
    for progress, weights in ((0.49, None), (0.5, effective_number_weights(DATA, 0.9999))):
        expected = sum(F.cross_entropy(shifted[:, expert], LABELS, weight=weights) for expert in range(2))
        torch.testing.assert_close(head.loss(state, FEATURES, LABELS, CONTEXT, progress), expected[None])


@pytest.mark.parametrize("name", ["linear_probe", "crt", "balanced_softmax", "lws", "sade", "reslt"])
def test_class_points_are_the_weights_that_the_logits_have(name):
    head, state = started(name)
    state = {**state, "bias": torch.zeros_like(state["bias"])}
    if "scale" in state:
        state["scale"] = torch.rand(state["scale"].shape, generator=torch.Generator().manual_seed(2)) + 0.5
    products = head.embed(state, FEATURES, CONTEXT) @ head.class_points(state, CONTEXT).mT
    torch.testing.assert_close(products, head.logits(state, FEATURES, CONTEXT), rtol=1e-4, atol=1e-5)


def test_the_class_points_of_ride_are_the_mean_of_its_experts():
    head, state = started("ride", {"experts": 2})
    first, second = state["weight"][0, :CLASSES], state["weight"][0, CLASSES:]
    torch.testing.assert_close(head.class_points(state, CONTEXT)[0], (first + second) / 2)


def test_tau_normalisation_comes_after_the_training():
    head, state = started("tau_normalized", {"tau": 1.0})
    plain = FEATURES @ state["weight"][0].T + state["bias"][0, 0]
    torch.testing.assert_close(head.loss(state, FEATURES, LABELS, CONTEXT, 0.0), F.cross_entropy(plain, LABELS)[None])


def test_all_neighbours_vote_where_there_are_fewer_than_k():
    head, state = started("nearest_neighbours", {"k": 1000})
    shares = head.logits(state, FEATURES[:2], CONTEXT).exp()
    torch.testing.assert_close(shares[0, 0], DATA.class_counts / DATA.class_counts.sum(), rtol=0, atol=1e-3)


def test_memory_of_a_linear_classifier_by_hand():
    # Weight, gradient and momentum of 3 · (2 + 1) numbers; of 5 images three tensors of 2 and four of 3 numbers.
    assert HEADS["linear_probe"].bytes_of_member(None, batch_size=5, dim=2, classes=3) == 4 * (27 + 30 + 60)


@pytest.mark.parametrize(
    ("placement", "numbers"),
    # Three times 2 · 3 numbers for each side, seven rows of 2 for each image and adapted text, four of 3 per image.
    [("image", 18 + 7 * 5 * 2 + 60), ("text", 18 + 7 * 8 * 2 + 60), ("both", 36 + 7 * 8 * 2 + 60)],
)
def test_memory_of_an_adapter_by_hand(placement, numbers):
    form = BalladOptions(placement=placement)
    assert Ballad.bytes_of_member(form, batch_size=5, dim=2, classes=3) == 4 * numbers
