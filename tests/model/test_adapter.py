import pytest
import torch

from ballad.model.adapter import Adapters


def one(factor: float, **form: object) -> Adapters:
    adapter = Adapters(2, [factor], [0], **form)
    with torch.no_grad():
        for side in adapter.sides:
            adapter.weights[side].copy_(torch.tensor([[[1.0, 2.0], [3.0, -4.0]]]))
            if side in adapter.biases:
                adapter.biases[side].copy_(torch.tensor([[0.5, -0.5]]))
    return adapter


def test_equation_5_by_hand():
    # Wᵀf + b = [1·1 + 3·1 + .5, 2·1 − 4·1 − .5] = [4.5, −2.5]; ReLU leaves [4.5, 0].
    adapted = one(0.2).image(torch.tensor([[1.0, 1.0]]))
    assert adapted[0, 0].tolist() == pytest.approx([0.2 * 4.5 + 0.8, 0.8])


def test_linear_form_without_bias_by_hand():
    adapted = one(0.5, activation="none", bias=False).image(torch.tensor([[1.0, 1.0]]))
    assert adapted[0, 0].tolist() == pytest.approx([0.5 * 4 + 0.5, 0.5 * -2 + 0.5])


def test_zero_lambda_returns_the_features_to_the_last_bit():
    features = torch.randn(5, 2, generator=torch.Generator().manual_seed(1))
    assert one(0.0).image(features)[0].equal(features)


@pytest.mark.parametrize(("placement", "image_moves", "text_moves"), [("image", 1, 0), ("text", 0, 1), ("both", 1, 1)])
def test_placement_decides_which_side_is_adapted(placement, image_moves, text_moves):
    adapter, x = one(0.5, placement=placement), torch.ones(3, 2)
    assert (not adapter.image(x).expand(1, 3, 2).equal(x[None])) == bool(image_moves)
    assert (not adapter.text(x).expand(1, 3, 2).equal(x[None])) == bool(text_moves)


def test_start_is_that_of_a_linear_layer_and_follows_the_seed():
    adapters = Adapters(64, [0.2, 0.2, 0.2], [0, 1, 0])
    weight = adapters.weights["image"]
    assert weight.abs().max() <= 64**-0.5
    assert weight.std().item() == pytest.approx(64**-0.5 / 3**0.5, rel=0.02)
    assert weight[0].equal(weight[2]) and not weight[0].equal(weight[1])


def test_members_equal_single_adapters():
    together = Adapters(8, [0.1, 0.7], [4, 9], placement="both")
    x = torch.randn(6, 8, generator=torch.Generator().manual_seed(2))
    for member, (factor, seed) in enumerate([(0.1, 4), (0.7, 9)]):
        alone = Adapters(8, [factor], [seed], placement="both")
        assert torch.allclose(together.image(x)[member], alone.image(x)[0], atol=1e-6)
        assert torch.allclose(together.text(x)[member], alone.text(x)[0], atol=1e-6)


def test_state_of_a_member_round_trips():
    source, target = Adapters(4, [0.2, 0.2], [1, 2]), Adapters(4, [0.2], [3])
    target.load_member_state(0, source.member_state(1))
    assert target.weights["image"][0].equal(source.weights["image"][1])
