import pytest
import torch

from ballad.sections import PhaseBSettings
from ballad.training import member_budget
from ballad.training.member_budget import members_that_fit

CPU = torch.device("cpu")


def bytes_of_member(settings: PhaseBSettings, dim: int, classes: int) -> int:
    head, batch = settings.head, settings.batch_size
    return head.bytes_of_member(settings.head_options, batch_size=batch, dim=dim, classes=classes)


def test_a_member_by_hand():
    settings = PhaseBSettings(batch_size=10)
    # Weights and bias of 4 outputs three times, 7 tensors [10, 4], 4 tensors [10, 5], all of 4 bytes.
    assert bytes_of_member(settings, dim=4, classes=5) == 4 * (3 * 20 + 7 * 40 + 4 * 50)


@pytest.mark.parametrize(("free", "members"), [(0, 1), (10, 5), (23, 11)])
def test_half_of_the_free_memory_is_filled_and_one_member_always_trains(monkeypatch, free, members):
    size = bytes_of_member(PhaseBSettings(), 64, 20)
    monkeypatch.setattr(member_budget, "_free_memory", lambda device: free * size)
    assert members_that_fit(PhaseBSettings(), 64, 20, CPU) == members


def test_an_adapter_on_both_sides_takes_more():
    assert bytes_of_member(PhaseBSettings(placement="both"), 64, 20) > bytes_of_member(PhaseBSettings(), 64, 20)
