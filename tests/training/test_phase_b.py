import math
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ballad.errors import Cancelled
from ballad.events import CancelToken, EpochEvaluated, Progress
from ballad.heads.ballad import Ballad
from ballad.heads.head import ADJUSTMENT, Context, TrainingData, member_state
from ballad.sections import OptimizerSettings, PhaseBSettings
from ballad.training.features import FeatureBank, augmented_view_counts
from ballad.training.phase_b import (
    Member,
    ValidationSet,
    adjustment_of,
    cached_features,
    head_of,
    train_heads,
    training_features,
)
from ballad.training.sampling import EpochSampler
from ballad.training.schedule import derived_seed

DIM, CLASSES = 16, 5
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    counts = [60, 30, 15, 8, 4]
    labels = np.repeat(np.arange(CLASSES), counts)
    centres = rng.normal(size=(CLASSES, DIM))
    features = (3 * centres[labels] + rng.normal(size=(len(labels), DIM))).astype(np.float16)
    text = F.normalize(torch.from_numpy(centres + 0.8 * rng.normal(size=centres.shape)).float(), dim=-1)
    return features, torch.from_numpy(labels), text


def train(problem, members, *, validation=None, cancel=None, on_event=lambda event: None, optimizer=None, bank=None):
    features, labels, text = problem
    bank = bank or FeatureBank.of_plain(features)
    return train_heads(
        cached_features(bank, labels, members, CPU),
        labels,
        Context(text, 20.0),
        members,
        optimizer or OptimizerSettings(),
        bank=bank,
        validation=validation,
        device=CPU,
        on_event=on_event,
        cancel=cancel or CancelToken(),
    )


def start_of(member, text):
    data = TrainingData(torch.ones(CLASSES, dtype=torch.int64), member.settings.epochs)
    return member_state(head_of([member]).start(Context(text, 20.0), data), 0)


def settings(**values):
    return PhaseBSettings(**{"epochs": 3, "batch_size": 16, "learning_rate": 0.05, "selection": "last", **values})


def test_members_trained_together_equal_those_trained_alone(problem):
    members = [
        Member(settings(residual_factor=0.1), seed=0),
        Member(settings(residual_factor=0.7, sampler="square_root"), seed=1),
        Member(settings(residual_factor=0.2, learning_rate=0.01, sampler="instance"), seed=2),
    ]
    together = train(problem, members)
    for member, result in zip(members, together, strict=True):
        (alone,) = train(problem, [member])
        for name, weight in alone.state.items():
            assert torch.allclose(weight, result.state[name], atol=1e-5), name


def test_members_that_draw_alike_share_their_batches_and_equal_those_alone(problem):
    members = [Member(settings(residual_factor=factor), seed=3) for factor in (0.0, 0.5, 1.0)]
    for member, result in zip(members, train(problem, members), strict=True):
        (alone,) = train(problem, [member])
        assert torch.allclose(alone.state["weights.image"], result.state["weights.image"], atol=1e-5)


def test_members_in_chunks_equal_all_at_once(problem):
    members = [Member(settings(residual_factor=factor, learning_rate=0.1 * factor), seed=3) for factor in (0.2, 0.5, 1)]
    chunks = train(problem, members[:2]) + train(problem, members[2:])
    for part, whole in zip(chunks, train(problem, members), strict=True):
        assert torch.allclose(part.state["weights.image"], whole.state["weights.image"], atol=1e-5)
        assert part.history[-1].loss == pytest.approx(whole.history[-1].loss, rel=1e-5)


def test_views_are_drawn_by_each_members_own_seed(problem):
    features, labels, _ = problem
    counts = augmented_view_counts(labels.numpy(), views=4)
    starts = np.concatenate([[0], np.cumsum(counts)])
    augmented = np.random.default_rng(1).normal(size=(starts[-1], DIM)).astype(np.float16)
    bank = FeatureBank(features, augmented, starts)
    members = [Member(settings(), seed=0), Member(settings(), seed=1)]
    for member, result in zip(members, train(problem, members, bank=bank), strict=True):
        (alone,) = train(problem, [member], bank=bank)
        assert torch.allclose(alone.state["weights.image"], result.state["weights.image"], atol=1e-5)


def test_one_step_is_that_of_torch_sgd(problem):
    features, labels, text = problem
    member = Member(settings(epochs=1, batch_size=len(labels), sampler="instance", residual_factor=0.3), seed=5)
    (trained,) = train(problem, [member], optimizer=OptimizerSettings(weight_decay=0.1))

    start = start_of(member, text)
    weight = start["weights.image"].requires_grad_()
    bias = start["biases.image"].requires_grad_()
    f = torch.from_numpy(features).float()
    adapted = 0.3 * F.relu(f @ weight + bias) + 0.7 * f
    F.cross_entropy(20 * F.normalize(adapted) @ text.T, labels).backward()
    torch.optim.SGD([weight, bias], lr=0.05, momentum=0.9, weight_decay=0.1).step()
    assert torch.allclose(trained.state["weights.image"], weight, atol=1e-5)
    assert torch.allclose(trained.state["biases.image"], bias, atol=1e-5)


def test_training_lowers_the_loss_and_reports_every_epoch(problem):
    events = []
    train(problem, [Member(settings(epochs=4), seed=0)], on_event=events.append)
    epochs = [event for event in events if isinstance(event, EpochEvaluated)]
    assert [event.epoch for event in epochs] == [1, 2, 3, 4]
    assert epochs[-1].loss < epochs[0].loss
    progress = [event for event in events if isinstance(event, Progress)]
    assert (progress[-1].epoch, progress[-1].step) == (4, progress[-1].steps)
    assert progress[-1].eta_seconds == 0


def test_best_selection_keeps_the_epoch_that_scored_highest(problem):
    scores = iter([10.0, 30.0, 20.0])
    features, _, _ = problem
    validation = ValidationSet(features, lambda predicted: {"all": next(scores)})
    (best,) = train(problem, [Member(settings(selection="best"), seed=0)], validation=validation)
    assert best.epoch == 2
    (last,) = train(problem, [Member(settings(), seed=0)])
    assert last.epoch == 3
    assert not best.state["weights.image"].equal(last.state["weights.image"])


def test_of_epochs_that_score_alike_the_first_is_kept(problem):
    validation = ValidationSet(problem[0], lambda predicted: {"all": 10.0})
    (best,) = train(problem, [Member(settings(selection="best"), seed=0)], validation=validation)
    assert (best.epoch, best.best, best.accuracy) == (1, 10.0, {"all": 10.0})


def test_validation_features_longer_than_a_chunk_are_all_predicted_in_order(problem):
    features, labels, _ = problem
    seen = []
    many = np.tile(features, (20, 1))  # 2340 images: two chunks
    validation = ValidationSet(many, lambda predicted: seen.append(predicted) or {"all": 50.0})
    train(problem, [Member(settings(epochs=1), seed=0)], validation=validation)
    predicted = seen[0].reshape(20, len(labels))
    assert (predicted == predicted[0]).all()
    assert (predicted[0] == labels.numpy()).mean() > 0.6


def test_a_head_is_told_how_much_of_the_training_is_done(problem, monkeypatch):
    told, loss = [], Ballad.loss

    def recorded(self, state, features, targets, context, progress):
        told.append(progress)
        return loss(self, state, features, targets, context, progress)

    monkeypatch.setattr(Ballad, "loss", recorded)
    train(problem, [Member(settings(epochs=2, batch_size=40), seed=0)])
    assert told == pytest.approx([k / 6 for k in range(6)])


def test_an_adjustment_is_each_members_strength_times_the_log_priors():
    data = TrainingData(torch.tensor([3, 1]), 1)
    members = [Member(settings(adjustment=strength), seed=0) for strength in (0.0, 0.5)]
    expected = torch.tensor([[[0.0, 0.0]], [[0.5 * math.log(0.75), 0.5 * math.log(0.25)]]])
    torch.testing.assert_close(adjustment_of(members, data, CPU)[ADJUSTMENT], expected)
    assert adjustment_of(members[:1], data, CPU) == {}


@pytest.mark.parametrize("placement", ["text", "both"])
def test_gradients_reach_the_side_that_is_adapted(problem, placement):
    member = Member(settings(placement=placement), seed=0)
    start = start_of(member, problem[2])
    (trained,) = train(problem, [member])
    assert set(trained.state) == set(start)
    assert all(not trained.state[name].equal(start[name]) for name in start)


def test_cancel_is_answered_at_the_next_step(problem):
    cancel, steps = CancelToken(), []

    def stop_at_third(event):
        steps.append(event)
        if len(steps) == 3:
            cancel.cancel()

    with pytest.raises(Cancelled):
        train(problem, [Member(settings(), seed=0)], cancel=cancel, on_event=stop_at_third)
    assert len(steps) == 3


def test_view_budget_by_hand():
    labels = np.repeat([0, 1, 2], [200, 50, 3])
    counts = augmented_view_counts(labels, views=32)
    # ⌈128/200⌉ = 1, ⌈128/50⌉ = 3, min(32, ⌈128/3⌉) = 32; the plain view is one of them.
    assert [counts[labels == k][0] for k in range(3)] == [0, 2, 31]


def test_every_view_of_every_image_is_drawn():
    starts = np.array([0, 2, 2, 5])
    bank = FeatureBank(np.zeros((3, 2), np.float16), np.zeros((5, 2), np.float16), starts)
    images = torch.arange(3).repeat(400)
    rows = bank.rows_of(images, torch.Generator().manual_seed(0)).view(400, 3)
    assert [sorted(rows[:, i].unique().tolist()) for i in range(3)] == [[0, 3, 4], [1], [2, 5, 6, 7]]


def test_a_head_that_averages_views_is_given_the_mean_direction_of_each_image():
    plain = np.array([[3.0, 0.0], [0.0, 2.0], [5.0, 0.0]], np.float16)
    # The first image has one more view, the third has two.
    augmented = np.array([[0.0, 4.0], [0.0, 1.0], [-2.0, 0.0]], np.float16)
    bank = FeatureBank(plain, augmented, np.array([0, 1, 1, 3]))
    labels = torch.tensor([0, 1, 0])
    ((means, given),) = training_features(bank, labels, torch.device("cpu"), averaged=True)
    torch.testing.assert_close(means, torch.tensor([[0.5, 0.5], [0.0, 1.0], [0.0, 1 / 3]]))
    ((first, _),) = training_features(bank, labels, torch.device("cpu"), averaged=False)
    torch.testing.assert_close(first, torch.from_numpy(plain).float())
    torch.testing.assert_close(given, labels)
    torch.testing.assert_close(bank.mean_views(1, 3), means[1:])


@pytest.mark.parametrize("diverging", [0, 1])
def test_a_member_that_diverges_fails_alone(problem, diverging):
    members = [Member(settings(residual_factor=factor), seed=0) for factor in (0.2, 0.7)]
    members[diverging] = Member(settings(learning_rate=1e30), seed=0)
    events = []
    together = train(problem, members, on_event=events.append)
    other = 1 - diverging
    assert re.fullmatch(
        r"Phase B diverged: the loss of epoch 1, step [23] is (nan|inf); try a lower phase_b\.learning_rate "
        r"\(now 1e\+30\), .*",
        str(together[diverging].error),
    )
    assert not together[diverging].history
    (alone,) = train(problem, [members[other]])
    assert together[other].error is None and together[other].epoch == 3
    for name, weight in alone.state.items():
        assert torch.allclose(weight, together[other].state[name], atol=1e-5), name
    told = [event for event in events if isinstance(event, EpochEvaluated)]
    assert len(told) == (0 if diverging == 0 else 3)


def test_weights_that_the_last_step_ruined_are_an_error(problem):
    _, labels, _ = problem
    member = Member(settings(epochs=1, batch_size=len(labels), learning_rate=1e39), seed=0)
    (trained,) = train(problem, [member])
    assert "after epoch 1 the weight weights.image is no longer finite" in str(trained.error)


def test_a_training_of_members_that_all_diverged_ends_at_once(problem):
    steps = []
    train(problem, [Member(settings(learning_rate=1e30), seed=0)], on_event=steps.append)
    assert {event.epoch for event in steps} == {1}


@pytest.mark.parametrize("by", ["step", "epoch"])
def test_rates_follow_each_members_cosine(problem, by):
    members = [Member(settings(learning_rate=rate, epochs=2, batch_size=40), seed=0) for rate in (0.05, 0.2)]
    events = []
    trained = train(problem, members, optimizer=OptimizerSettings(cosine_by=by), on_event=events.append)
    # 117 images in batches of 40 are three steps; two epochs.
    done = [k / 6 for k in range(6)] if by == "step" else [1 / 2] * 3 + [1] * 3
    cosine = [0.5 + 0.5 * math.cos(math.pi * share) for share in done]
    rates = [event.learning_rate for event in events if isinstance(event, Progress)]
    assert rates == pytest.approx([0.05 * factor for factor in cosine])
    assert [event.learning_rate for event in trained[1].history] == pytest.approx([0.2 * cosine[2], 0.2 * cosine[5]])


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_several_steps_are_those_of_torch_sgd(problem, momentum):
    features, labels, text = problem
    form = {"sampler": "mix_balanced", "residual_factor": 0.3, "learning_rate": 5.0}
    member = Member(settings(epochs=2, batch_size=50, **form), seed=5)
    optimizer = OptimizerSettings(momentum=momentum, weight_decay=0.01, cosine_by="epoch")
    (trained,) = train(problem, [member], optimizer=optimizer)

    start = start_of(member, text)
    weight, bias = (start[f"{kind}.image"].clone().requires_grad_() for kind in ("weights", "biases"))
    alone = torch.optim.SGD([weight, bias], lr=1.0, momentum=momentum, weight_decay=0.01)
    drawing = EpochSampler(labels, "mix_balanced", epochs=2)
    f = torch.from_numpy(features).float()
    for epoch, losses in enumerate(([], [])):
        drawn = drawing.draw(epoch, derived_seed(5, "phase_b", "mix_balanced", epoch))
        for images in drawn.split(50):
            adapted = 0.3 * F.relu(f[images] @ weight + bias) + 0.7 * f[images]
            loss = F.cross_entropy(20 * F.normalize(adapted) @ text.T, labels[images])
            losses.append(loss.item())
            alone.zero_grad()
            loss.backward()
            alone.param_groups[0]["lr"] = 2.5 * (1 + math.cos(math.pi * (epoch + 1) / 2))
            alone.step()
        # The mean of this epoch's steps, whatever the epoch before had.
        assert trained.history[epoch].loss == pytest.approx(np.mean(losses), rel=1e-3)
    assert (weight - start["weights.image"]).abs().max() > 0.01
    assert torch.allclose(trained.state["weights.image"], weight, atol=1e-4)
    assert torch.allclose(trained.state["biases.image"], bias, atol=1e-4)
