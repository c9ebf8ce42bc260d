"""Each method against values worked out by hand or by independent code."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from ballad.heads.head import ADJUSTMENT, Context, TrainingData
from ballad.heads.losses import cross_entropy
from ballad.heads.parts import effective_number_weights, log_priors
from ballad.heads.sade import _reversed_ranks
from ballad.model.projection import Projection
from tests.heads.problem import CLASSES, CONTEXT, COUNTS, DATA, DIM, FEATURES, LABELS, heads_of, started, zero_shot

PRIOR = torch.tensor(COUNTS).float() / sum(COUNTS)


def of(counts: list[int]) -> TrainingData:
    return TrainingData(torch.tensor(counts), epochs=1)


def test_nearest_class_mean_is_that_of_scikit_learn():
    head, state = started("nearest_class_mean")
    directions = F.normalize(FEATURES - FEATURES.mean(0), dim=-1)
    reference = NearestCentroid().fit(directions.numpy(), LABELS.numpy())
    found = head.logits(state, FEATURES * 1.3 + 0.2, CONTEXT)[0].argmax(-1)
    moved = F.normalize(FEATURES * 1.3 + 0.2 - FEATURES.mean(0), dim=-1)
    np.testing.assert_array_equal(found, reference.predict(moved.numpy()))


def test_a_class_without_images_is_never_the_nearest():
    data = TrainingData(torch.tensor([3, 0]), 1, lambda: iter([(torch.eye(3, DIM), torch.zeros(3, dtype=torch.long))]))
    context = type(CONTEXT)(CONTEXT.texts[:2], 20.0)
    head = heads_of("nearest_class_mean")
    logits = head.logits(head.start(context, data), torch.randn(5, DIM), context)
    assert (logits.argmax(-1) == 0).all()
    assert logits.softmax(-1).isfinite().all()


@pytest.mark.parametrize("k", [1, 5])
def test_nearest_neighbours_vote_as_those_of_scikit_learn(k):
    head, state = started("nearest_neighbours", {"k": k})
    reference = KNeighborsClassifier(k, metric="cosine").fit(FEATURES.numpy(), LABELS.numpy())
    asked = FEATURES + 0.7
    shares = head.logits(state, asked, CONTEXT)[0].exp().numpy()
    np.testing.assert_allclose(shares, reference.predict_proba(asked.numpy()), atol=1e-4)


def test_equal_votes_go_to_the_more_similar_neighbours():
    keys = F.normalize(torch.tensor([[1.0, 0.1], [1.0, 0.9]]), dim=-1)
    data = TrainingData(torch.tensor([1, 1]), 1, lambda: iter([(keys, torch.tensor([1, 0]))]))
    context = type(CONTEXT)(torch.eye(2), 20.0)
    head = heads_of("nearest_neighbours", {"k": 2})
    assert head.logits(head.start(context, data), torch.tensor([[1.0, 0.0]]), context).argmax() == 1


def test_tip_adapter_by_hand():
    keys = torch.tensor([[2.0, 0.0], [0.0, 5.0]])
    data = TrainingData(torch.tensor([1, 1]), 1, lambda: iter([(keys, torch.tensor([0, 1]))]))
    context = type(CONTEXT)(torch.tensor([[0.6, 0.8], [1.0, 0.0]]), 10.0)
    head = heads_of("tip_adapter", {"alpha": 2.0, "beta": 3.0})
    logits = head.logits(head.start(context, data), torch.tensor([[4.0, 0.0]]), context)
    # The first key is the same direction, e⁰ = 1; the second is orthogonal, e⁻³.
    torch.testing.assert_close(logits, torch.tensor([[[6.0 + 2.0, 10.0 + 2 * math.exp(-3)]]]))


def test_tip_adapter_keeps_so_many_images_per_class():
    _, state = started("tip_adapter", {"shots": 5})
    assert torch.bincount(state["key_class"][0]).tolist() == [5, 5, 5, 3]
    nearest = (F.normalize(FEATURES, dim=-1) @ state["key"][0].T).argmax(0)
    torch.testing.assert_close(LABELS[nearest], state["key_class"][0])
    torch.testing.assert_close(F.normalize(FEATURES, dim=-1)[nearest], state["key"][0])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("tip_adapter", {"alpha": 0}),
        ("clip_adapter", {"ratio": 0}),
        ("class_texts", {}),
        ("ballad", {"residual_factor": 0}),
    ],
)
def test_nothing_mixed_in_is_zero_shot(name, options):
    head, state = started(name, options)
    torch.testing.assert_close(head.logits(state, FEATURES, CONTEXT)[0], zero_shot(FEATURES))


def test_the_cosine_head_starts_as_zero_shot():
    head, state = started("cosine_adjusted", {"scale": CONTEXT.logit_scale})
    torch.testing.assert_close(head.logits(state, FEATURES, CONTEXT)[0], zero_shot(FEATURES))


def test_lifts_head_starts_as_zero_shot_where_the_projection_keeps_angles():
    rotation = torch.linalg.qr(torch.randn(DIM, DIM, generator=torch.Generator().manual_seed(3))).Q
    before = Context(Projection(rotation, None, {}).taken_back(CONTEXT.texts), CONTEXT.logit_scale)
    head = heads_of("lift_head")
    logits = head.logits(head.start(before, DATA), FEATURES @ rotation.T, before)[0]
    torch.testing.assert_close(logits / 25, zero_shot(FEATURES) / CONTEXT.logit_scale)


def test_lift_for_resnets_scales_and_shifts_before_its_cosines():
    head, state = started("lift_resnet", {"scale": CONTEXT.logit_scale})
    torch.testing.assert_close(head.logits(state, FEATURES, CONTEXT)[0], zero_shot(FEATURES))
    state["factor"] = torch.linspace(0.5, 2, DIM)[None, None]
    state["shift"] = torch.full((1, 1, DIM), 0.3)
    moved = FEATURES * torch.linspace(0.5, 2, DIM) + 0.3
    torch.testing.assert_close(head.logits(state, FEATURES, CONTEXT)[0], zero_shot(moved))


def test_clip_adapter_has_no_bias_and_a_bottleneck():
    head, state = started("clip_adapter", {"ratio": 1.0, "reduction": 4})
    down, up = state["down"][0], state["up"][0]
    assert (down.shape, up.shape) == ((DIM, 2), (2, DIM))
    torch.testing.assert_close(head.embed(state, FEATURES, CONTEXT)[0], F.relu(F.relu(FEATURES @ down) @ up))


def test_tau_normalisation():
    head, state = started("tau_normalized", {"tau": 0.0}, {"tau": 1.0}, {"tau": 0.5})
    points = head.class_points(state, CONTEXT)
    torch.testing.assert_close(points[0], state["weight"][0])
    torch.testing.assert_close(points[1].norm(dim=-1), torch.ones(CLASSES))
    torch.testing.assert_close(points[2].norm(dim=-1), state["weight"][2].norm(dim=-1).sqrt())
    torch.testing.assert_close(head.logits(state, FEATURES, CONTEXT)[0], FEATURES @ state["weight"][0].T)


def test_lws_scales_what_it_has_frozen():
    head, state = started("lws", {"scaling_from": 0.5})
    assert [name for name in state if head.is_trained(name, 0.4)] == ["weight", "bias"]
    assert [name for name in state if head.is_trained(name, 0.5)] == ["scale"]
    assert [head.sampler(head.options[0], "square_root", at) for at in (0.4, 0.5)] == ["instance", "class_balanced"]
    plain = FEATURES @ state["weight"][0].T + state["bias"][0]
    torch.testing.assert_close(head.logits(state, FEATURES, CONTEXT)[0], plain)
    state["scale"] = state["scale"] * 3
    torch.testing.assert_close(head.logits(state, FEATURES, CONTEXT)[0], 3 * plain)


@pytest.mark.parametrize("name", ["balanced_softmax", "cosine_adjusted", "ballad_adjusted"])
def test_adjusted_losses_are_cross_entropy_of_shifted_logits(name):
    head, state = started(name, {"tau": 0.0}, {"tau": 1.0}, {"tau": 0.5})
    logits = head.logits(state, FEATURES, CONTEXT)
    expected = [F.cross_entropy(logits[m] + tau * PRIOR.log(), LABELS) for m, tau in enumerate((0.0, 1.0, 0.5))]
    torch.testing.assert_close(head.loss(state, FEATURES, LABELS, CONTEXT, 0.0), torch.stack(expected))


def test_balanced_softmax_is_cross_entropy_where_classes_are_balanced():
    head = heads_of("balanced_softmax")
    state = head.start(CONTEXT, of([7, 7, 7, 7]))
    logits = head.logits(state, FEATURES, CONTEXT)
    torch.testing.assert_close(head.loss(state, FEATURES, LABELS, CONTEXT, 0.0), cross_entropy(logits, LABELS))


def test_ldam_takes_a_margin_from_the_true_class():
    head = heads_of("ldam_drw", {"scale": 30.0, "margin": 0.5})
    state = head.start(CONTEXT, of([16, 16, 16, 1]))
    torch.testing.assert_close(state["margin"].flatten(), torch.tensor([0.25, 0.25, 0.25, 0.5]))
    cosines = F.normalize(FEATURES, dim=-1) @ F.normalize(state["weight"][0], dim=-1).T
    cosines[torch.arange(len(LABELS)), LABELS] -= state["margin"][0, 0][LABELS]
    early, late = (head.loss(state, FEATURES, LABELS, CONTEXT, progress) for progress in (0.0, 0.8))
    torch.testing.assert_close(early, F.cross_entropy(30 * cosines, LABELS)[None])
    weights = effective_number_weights(of([16, 16, 16, 1]), 0.9999)
    torch.testing.assert_close(late, F.cross_entropy(30 * cosines, LABELS, weight=weights)[None])


def test_weights_by_the_effective_number_of_images():
    # (1 − ½) / (1 − ½^n): ½ / ½, ½ / ¾ and ½ / ⅞, which are 1, ⅔ and 4/7.
    expected = torch.tensor([1, 2 / 3, 4 / 7])
    torch.testing.assert_close(effective_number_weights(of([1, 2, 3]), 0.5), expected / expected.mean())
    torch.testing.assert_close(effective_number_weights(of([1, 2, 3]), 0.0), torch.ones(3))


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_the_focal_loss_is_that_of_its_paper(gamma):
    head, state = started("class_balanced_focal", {"gamma": gamma, "beta": 0.9})
    logits = head.logits(state, FEATURES, CONTEXT)[0]
    p = logits.sigmoid()
    p_true = torch.where(F.one_hot(LABELS, CLASSES) == 1, p, 1 - p)
    of_images = ((1 - p_true) ** gamma * -p_true.log()).sum(1)
    expected = (effective_number_weights(DATA, 0.9)[LABELS] * of_images).mean()
    torch.testing.assert_close(head.loss(state, FEATURES, LABELS, CONTEXT, 0.0), expected[None])


def test_the_backward_expert_has_the_priors_the_other_way_round():
    prior = torch.tensor([0.5, 0.1, 0.3, 0.06, 0.04])[None, None]
    expected = torch.tensor([0.04, 0.3, 0.1, 0.5, 0.06])
    # Ranked 0.5, 0.3, 0.1, 0.06, 0.04: the first takes the last's, the second the fourth's.
    expected = torch.tensor([0.04, 0.1, 0.06, 0.3, 0.5])
    torch.testing.assert_close(_reversed_ranks(prior).flatten(), expected)


def test_sade_trains_three_experts_for_three_tails():
    head, state = started("sade")
    learned = {name: state[name].requires_grad_() for name in ("weight", "bias")}
    for _ in range(100):
        head.loss(state, FEATURES / 3, LABELS, CONTEXT, 0.0).sum().backward()
        for tensor in learned.values():
            with torch.no_grad():
                tensor -= 0.1 * tensor.grad
            tensor.grad = None
    with torch.no_grad():
        tail = [expert.softmax(-1)[:, -1].mean().item() for expert in head.experts(state, FEATURES / 3)[0].unbind(1)]
    assert tail[0] < tail[1] < tail[2]


def test_sade_adds_its_experts_losses_and_averages_their_logits():
    head, state = started("sade")
    forward, uniform, backward = head.experts(state, FEATURES)[0].unbind(1)
    log_prior = PRIOR.log()
    expected = (
        F.cross_entropy(forward, LABELS)
        + F.cross_entropy(uniform + log_prior, LABELS)
        + F.cross_entropy(backward + log_prior - 2 * log_prior.flip(0), LABELS)
    )
    torch.testing.assert_close(head.loss(state, FEATURES, LABELS, CONTEXT, 0.0), expected[None])
    torch.testing.assert_close(head.logits(state, FEATURES, CONTEXT)[0], (forward + uniform + backward) / 3)


def test_ride_keeps_its_experts_apart():
    head, state = started("ride", {"experts": 2, "diversity": 0.2}, {"experts": 2, "diversity": 0.0})
    state = {name: tensor[:1].expand_as(tensor) for name, tensor in state.items()}
    experts = head.experts(state, FEATURES, CONTEXT)[0]
    ldam = heads_of("ldam_drw")
    parts = [
        ldam.loss({**ldam.start(CONTEXT, DATA), "weight": weight[None]}, FEATURES, LABELS, CONTEXT, 0.0)
        for weight in state["weight"][0].unflatten(0, (2, -1))
    ]
    losses = head.loss(state, FEATURES, LABELS, CONTEXT, 0.0)
    torch.testing.assert_close(losses[1], sum(parts)[0])
    mean = experts.softmax(-1).mean(1)
    divergence = sum(
        F.kl_div(mean.log(), experts[:, e].log_softmax(-1), reduction="batchmean", log_target=True) for e in (0, 1)
    )
    torch.testing.assert_close(losses[0], losses[1] - 0.2 * divergence)


def test_reslt_gives_the_rare_classes_heads_of_their_own():
    head, state = started("reslt", {"beta": 0.9})
    # Of four classes the rarest three (0.825 · 4 = 3.3) and the rarest one (0.22 · 4 = 0.88).
    assert state["covers"][0].int().tolist() == [[1, 1, 1, 1], [0, 1, 1, 1], [0, 0, 0, 1]]
    parts = head.parts(state, FEATURES)[0]
    terms = [
        F.cross_entropy(parts[image, part], LABELS[image]).item()
        for image in range(len(LABELS))
        for part in range(3)
        if LABELS[image] >= (0, 1, 3)[part]
    ]
    expected = 0.1 * F.cross_entropy(parts.sum(1), LABELS) + 0.9 * sum(terms) / len(terms)
    torch.testing.assert_close(head.loss(state, FEATURES, LABELS, CONTEXT, 0.0), expected[None])


def test_paco_by_a_loop_over_images():
    head, state = started("paco", {"alpha": 0.05, "temperature": 0.5})
    centres = head.logits(state, FEATURES, CONTEXT)[0] + PRIOR.log()
    directions = F.normalize(FEATURES, dim=-1)
    losses = []
    for i in range(len(LABELS)):
        others = [j for j in range(len(LABELS)) if j != i]
        terms = torch.cat([centres[i], torch.stack([directions[i] @ directions[j] / 0.5 for j in others])])
        weights = torch.tensor(
            [float(k == LABELS[i]) for k in range(CLASSES)] + [0.05 * float(LABELS[j] == LABELS[i]) for j in others]
        )
        losses.append(-(weights * terms.log_softmax(0)).sum() / weights.sum())
    torch.testing.assert_close(head.loss(state, FEATURES, LABELS, CONTEXT, 0.0), torch.stack(losses).mean()[None])


def test_oltr_trusts_features_close_to_a_class_mean():
    head, state = started("oltr")
    means = torch.stack([FEATURES[k == LABELS].mean(0) for k in range(CLASSES)])
    torch.testing.assert_close(state["memory"][0], means)
    state["selector"] = torch.zeros_like(state["selector"])
    distance = torch.cdist(FEATURES, means).min(1, keepdim=True).values
    embedded = FEATURES * 10 / distance
    torch.testing.assert_close(head.embed(state, FEATURES, CONTEXT)[0], embedded)
    squashed = embedded / (1 + embedded.norm(dim=1, keepdim=True))
    expected = 16 * squashed @ F.normalize(state["weight"][0], dim=-1).T
    torch.testing.assert_close(head.logits(state, FEATURES, CONTEXT)[0], expected)


def test_an_adjustment_takes_priors_from_the_logits():
    head, state = started("class_texts")
    state[ADJUSTMENT] = 0.5 * log_priors(DATA)
    torch.testing.assert_close(head.scores(state, FEATURES, CONTEXT)[0], zero_shot(FEATURES) - 0.5 * PRIOR.log())
    del state[ADJUSTMENT]
    torch.testing.assert_close(head.scores(state, FEATURES, CONTEXT)[0], zero_shot(FEATURES))
