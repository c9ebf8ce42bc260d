import torch

from ballad.model.interpolation import interpolated
from tests.model.conftest import LoadTiny


def test_the_ends_are_the_towers_themselves_to_the_last_bit():
    generator = torch.Generator().manual_seed(0)
    untouched, tuned = ({"w": torch.randn(1000, generator=generator)} for _ in range(2))
    assert interpolated(untouched, tuned, 0.0)["w"].equal(untouched["w"])
    assert interpolated(untouched, tuned, 1.0)["w"].equal(tuned["w"])


def test_half_is_the_mean_and_a_quarter_is_nearer_to_the_untouched():
    untouched, tuned = {"w": torch.tensor([1.0, -2.0])}, {"w": torch.tensor([3.0, 2.0])}
    assert interpolated(untouched, tuned, 0.5)["w"].tolist() == [2.0, 0.0]
    assert interpolated(untouched, tuned, 0.25)["w"].tolist() == [1.5, -1.0]


def test_towers_with_counted_batches_can_be_mixed(load_tiny: LoadTiny):
    backbone = load_tiny("resnet")
    state = backbone.tower_state()
    mixed = interpolated(state, {name: 3 * tensor for name, tensor in state.items()}, 0.5)
    assert any(not tensor.is_floating_point() for tensor in mixed.values())
    backbone.load_tower_state(mixed)
    assert all(mixed[name].equal(2 * state[name]) for name in mixed if state[name].is_floating_point())
