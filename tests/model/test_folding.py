import copy

import pytest
import torch
from torch import Tensor, nn

from ballad.model.construction import instantiate
from ballad.model.folding import fold_batch_norms
from tests.model.conftest import CONFIGS


def trained(tower: nn.Module) -> nn.Module:
    """The tower with statistics, factors and shifts that a training could have left."""
    generator = torch.Generator().manual_seed(0)
    for module in tower.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.bias.data, module.running_mean, module.running_var):
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
    return tower.eval()


def features_and_gradients(tower: nn.Module, pictures: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    tower.zero_grad()
    features = tower(pictures)
    features.square().sum().backward()
    return features.detach(), {name: parameter.grad for name, parameter in tower.named_parameters()}


@pytest.mark.parametrize("kind", ["resnet", "timm", "mobileclip"])
def test_features_and_gradients_stay_the_same(kind: str):
    pictures = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    plain = trained(instantiate(CONFIGS[kind]).visual)
    folded = copy.deepcopy(plain)
    assert fold_batch_norms(folded, pictures[:1]) > 0
    expected, expected_gradients = features_and_gradients(plain, pictures)
    features, gradients = features_and_gradients(folded, pictures)
    assert (features - expected).abs().max() < 1e-4 * expected.abs().max()
    assert list(folded.state_dict()) == list(plain.state_dict())
    largest = max(gradient.abs().max() for gradient in expected_gradients.values())
    for name, gradient in expected_gradients.items():
        assert (gradients[name] - gradient).abs().max() < 1e-3 * gradient.abs().max() + 1e-6 * largest, name


def test_every_normalisation_of_a_clip_resnet_is_folded():
    visual = trained(instantiate(CONFIGS["resnet"]).visual)
    count = sum(isinstance(module, nn.BatchNorm2d) for module in visual.modules())
    assert fold_batch_norms(visual, torch.randn(1, 3, 64, 64)) == count


class PreActivation(nn.Module):
    """The first convolution's output goes to the normalisation and past it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm, self.convolution = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.stem(pictures)
        return (x + self.convolution(self.norm(x))).mean((2, 3))


class SharedNorm(nn.Module):
    """One normalisation follows two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.norm = nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.norm(self.second(self.norm(self.first(pictures)))).mean((2, 3))


@pytest.mark.parametrize("tower_class", [PreActivation, SharedNorm])
def test_towers_that_cannot_be_folded_stay_as_they_are(tower_class: type[nn.Module]):
    tower, pictures = trained(tower_class()), torch.randn(2, 3, 8, 8)
    before = tower(pictures)
    assert fold_batch_norms(tower, pictures) == 0
    assert tower(pictures).equal(before)
