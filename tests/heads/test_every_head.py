"""What holds for every method: members are independent, states survive a file, gradients reach what they should."""

import pytest
import torch

from ballad.heads import HEADS
from ballad.heads.head import member_state, state_of_members
from tests.heads.problem import CLASSES, CONTEXT, DATA, FEATURES, LABELS, heads_of

methods = pytest.mark.parametrize("name", HEADS)


@methods
def test_members_answer_as_each_alone(name):
    together = heads_of(name, {}, {}, seeds=(3, 8))
    logits = together.logits(together.start(CONTEXT, DATA), FEATURES, CONTEXT)
    assert logits.shape == (2, len(FEATURES), CLASSES)
    for member, seed in enumerate((3, 8)):
        alone = heads_of(name, {}, seeds=(seed,))
        torch.testing.assert_close(logits[member], alone.logits(alone.start(CONTEXT, DATA), FEATURES, CONTEXT)[0])


@methods
def test_members_may_see_other_images(name):
    head = heads_of(name, {}, {}, seeds=(3, 8))
    state = head.start(CONTEXT, DATA)
    shared = head.logits(state, FEATURES, CONTEXT)
    stacked = head.logits(state, torch.stack([FEATURES, FEATURES.flip(0)]), CONTEXT)
    torch.testing.assert_close(stacked[0], shared[0])
    torch.testing.assert_close(stacked[1], shared[1].flip(0), rtol=1e-4, atol=1e-5)


@methods
def test_a_state_that_was_kept_answers_alike(name):
    head = heads_of(name, {}, {}, seeds=(3, 8))
    state = head.start(CONTEXT, DATA)
    kept = state_of_members([member_state(state, 1)], torch.device("cpu"))
    alone = heads_of(name, {}, seeds=(8,))
    torch.testing.assert_close(alone.logits(kept, FEATURES, CONTEXT)[0], head.logits(state, FEATURES, CONTEXT)[1])


@methods
def test_images_and_classes_share_a_space(name):
    head = heads_of(name)
    state = head.start(CONTEXT, DATA)
    embedded, points = head.embed(state, FEATURES, CONTEXT), head.class_points(state, CONTEXT)
    assert embedded.shape[:2] == (1, len(FEATURES))
    assert points.shape == (1, CLASSES, embedded.shape[2])


@pytest.mark.parametrize("name", [name for name, head in HEADS.items() if head.learns])
@pytest.mark.parametrize("progress", [0.0, 0.9])
def test_gradients_reach_what_is_trained_and_nothing_else(name, progress):
    head = heads_of(name, {}, {}, seeds=(3, 8))
    state = head.start(CONTEXT, DATA)
    for entry, tensor in state.items():
        tensor.requires_grad_(head.is_trained(entry, progress))
    losses = head.loss(state, FEATURES, LABELS, CONTEXT, progress)
    assert losses.shape == (2,)
    losses.sum().backward()
    moved = {entry for entry, tensor in state.items() if tensor.grad is not None and tensor.grad.abs().sum() > 0}
    assert moved == {entry for entry in state if head.is_trained(entry, progress)}


@pytest.mark.parametrize("name", [name for name, head in HEADS.items() if head.learns])
def test_a_loss_is_of_its_own_member(name):
    head = heads_of(name, {}, {}, seeds=(3, 8))
    losses = head.loss(head.start(CONTEXT, DATA), FEATURES, LABELS, CONTEXT, 0.0)
    for member, seed in enumerate((3, 8)):
        alone = heads_of(name, {}, seeds=(seed,))
        expected = alone.loss(alone.start(CONTEXT, DATA), FEATURES, LABELS, CONTEXT, 0.0)
        torch.testing.assert_close(losses[member : member + 1], expected)


@methods
def test_a_method_says_what_it_is(name):
    head = HEADS[name]
    assert head.title and head.formula and head.help.endswith(".")
    assert head.name == name
    for field in head.Options.model_fields.values():
        assert field.title and field.description


@methods
def test_a_grid_is_small_and_of_options_that_may_differ(name):
    head = HEADS[name]
    points = 1
    for option, values in head.grid.items():
        assert option == "learning_rate" or option in head.Options.model_fields
        assert option not in head.alike
        points *= len(values)
    assert points <= 5
