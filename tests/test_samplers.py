import numpy as np
import pytest
import torch

from ballad.errors import SettingsError
from ballad.experiment import Experiment
from ballad.samplers import SAMPLERS, UNBALANCED, Sampler, samplers_help
from ballad.training.sampling import EpochSampler

COUNTS = np.array([16.0, 4.0, 0.0])


@pytest.mark.parametrize(
    ("sampler", "progress", "expected"),
    [
        ("instance", 0, [0.8, 0.2, 0]),
        ("class_balanced", 0, [0.5, 0.5, 0]),
        ("square_root", 0, [4 / 6, 2 / 6, 0]),
        ("mix_balanced", 0, [0.8, 0.2, 0]),
        ("mix_balanced", 0.5, [0.65, 0.35, 0]),
        ("mix_balanced", 1, [0.5, 0.5, 0]),
    ],
)
def test_probabilities_by_hand_in_numpy_and_torch(sampler, progress, expected):
    rule = SAMPLERS[sampler].probabilities
    assert rule(COUNTS, progress).tolist() == pytest.approx(expected)
    in_torch = rule(torch.from_numpy(COUNTS), progress)
    assert in_torch.dtype == torch.double
    assert np.array_equal(in_torch.numpy(), rule(COUNTS, progress))


def test_a_sampler_that_is_registered_draws_by_its_own_rule(monkeypatch):
    def rarest(counts, progress):
        return (counts == counts[counts > 0].min()) * 1.0

    monkeypatch.setitem(SAMPLERS, "rarest", Sampler("rarest", "rarest", "rarest draws one class", rarest))
    labels = torch.tensor([0, 0, 0, 1, 1, 2])
    assert EpochSampler(labels, "rarest", epochs=1).draw(0, seed=1).tolist() == [5] * 6
    assert Experiment().with_values({"phase_b.sampler": "rarest"}).phase_b.sampler == "rarest"
    assert samplers_help().endswith("; rarest draws one class.")


@pytest.mark.parametrize("phase", ["phase_a", "phase_b"])
def test_an_unknown_sampler_is_refused_and_the_known_ones_are_named(phase):
    with pytest.raises(SettingsError) as error:
        Experiment().with_values({f"{phase}.sampler": "balanced"})
    known = "instance, class_balanced, square_root, mix_balanced"
    assert str(error.value) == f"{phase}.sampler = 'balanced': should be one of {known}."
    with pytest.raises(KeyError):
        EpochSampler(torch.tensor([0, 1]), "balanced", epochs=1)


def test_instance_sampling_is_what_unbalanced_means():
    assert UNBALANCED == "instance"
