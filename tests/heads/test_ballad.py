import pytest
import torch
import torch.nn.functional as F

from ballad.heads.ballad import Ballad, BalladOptions
from ballad.heads.head import Context, TrainingData, member_state, state_of_members

TEXTS = torch.eye(2)


def start(head: Ballad, dim: int = 2):
    return head.start(Context(torch.eye(dim), 1.0), TrainingData(torch.ones(dim, dtype=torch.int64), 1))


def one(factor: float, **form: object):
    """A head of one member with known weights, and its state."""
    head = Ballad([BalladOptions(residual_factor=factor, **form)], [0])
    state = start(head)
    for name in state:
        known = [[1.0, 2.0], [3.0, -4.0]] if name.startswith("weights") else [0.5, -0.5]
        state[name] = torch.tensor([known])
    return head, state


def embedded(factor: float, features: list[list[float]], **form: object) -> torch.Tensor:
    head, state = one(factor, **form)
    return head.embed(state, torch.tensor(features), Context(TEXTS, 1.0))[0]


def test_equation_5_by_hand():
    # Wᵀf + b = [1·1 + 3·1 + .5, 2·1 − 4·1 − .5] = [4.5, −2.5]; ReLU leaves [4.5, 0].
    assert embedded(0.2, [[1.0, 1.0]])[0].tolist() == pytest.approx([0.2 * 4.5 + 0.8, 0.8])


def test_linear_form_without_bias_by_hand():
    adapted = embedded(0.5, [[1.0, 1.0]], activation="none", bias=False)
    assert adapted[0].tolist() == pytest.approx([0.5 * 4 + 0.5, 0.5 * -2 + 0.5])


def test_logits_are_scaled_cosines_of_what_is_adapted():
    head, state = one(0.3, placement="both")
    features = torch.tensor([[1.0, 2.0], [-1.0, 0.5]])
    context = Context(TEXTS, 20.0)
    images, texts = head.embed(state, features, context)[0], head.class_points(state, context)[0]
    expected = 20 * F.cosine_similarity(images[:, None], texts[None], dim=-1)
    assert torch.allclose(head.logits(state, features, context)[0], expected, atol=1e-5)


def test_zero_lambda_returns_the_features_to_the_last_bit():
    features = torch.randn(5, 2, generator=torch.Generator().manual_seed(1))
    assert embedded(0.0, features.tolist()).equal(features)


@pytest.mark.parametrize(("placement", "image_moves", "text_moves"), [("image", 1, 0), ("text", 0, 1), ("both", 1, 1)])
def test_placement_decides_which_side_is_adapted(placement, image_moves, text_moves):
    head, state = one(0.5, placement=placement)
    context, features = Context(TEXTS, 1.0), torch.ones(3, 2)
    assert (not head.embed(state, features, context)[0].equal(features)) == bool(image_moves)
    assert (not head.class_points(state, context)[0].equal(TEXTS)) == bool(text_moves)


def test_start_is_that_of_a_linear_layer_and_follows_the_seed():
    weight = start(Ballad([BalladOptions()] * 3, [0, 1, 0]), dim=64)["weights.image"]
    assert weight.abs().max() <= 64**-0.5
    assert weight.std().item() == pytest.approx(64**-0.5 / 3**0.5, rel=0.02)
    assert weight[0].equal(weight[2]) and not weight[0].equal(weight[1])


def test_members_equal_single_adapters():
    options = [BalladOptions(residual_factor=factor, placement="both") for factor in (0.1, 0.7)]
    together, x = Ballad(options, [4, 9]), torch.randn(6, 8, generator=torch.Generator().manual_seed(2))
    context, state = Context(F.normalize(x[:3]), 5.0), start(together, dim=8)
    for member, seed in enumerate((4, 9)):
        alone = Ballad([options[member]], [seed])
        alone_logits = alone.logits(start(alone, dim=8), x, context)[0]
        assert torch.allclose(together.logits(state, x, context)[member], alone_logits, atol=1e-5)


def test_state_of_a_member_round_trips():
    state = start(Ballad([BalladOptions()] * 2, [1, 2]), dim=4)
    kept = member_state(state, 1)
    assert sorted(kept) == ["biases.image", "weights.image"]
    assert state_of_members([kept], torch.device("cpu"))["weights.image"][0].equal(state["weights.image"][1])
