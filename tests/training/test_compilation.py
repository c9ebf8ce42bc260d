import shutil

import pytest
import torch
from torch import nn

from ballad.errors import RunError
from ballad.training.compilation import compiled


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on a CPU")
def test_compiled_gives_the_same_features_and_gradients():
    torch.manual_seed(0)
    tower, inputs = (
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(5)),
        torch.randn(2, 3, 8, 8),
    )
    plain = tower(inputs)
    plain.square().sum().backward()
    expected = [parameter.grad.clone() for parameter in tower.parameters()]
    tower.zero_grad()
    ours = compiled(tower)(inputs)
    ours.square().sum().backward()
    torch.testing.assert_close(ours, plain)
    torch.testing.assert_close([parameter.grad for parameter in tower.parameters()], expected)


def test_without_a_compiler_the_way_out_is_named(monkeypatch):
    from torch._inductor import config

    monkeypatch.setattr(config.cpp, "cxx", (None, "/no/such/compiler"))
    with pytest.raises(RunError, match=r"^The image tower cannot be compiled: [^\n]*Set runtime.compile to false\.$"):
        compiled(lambda inputs: inputs.sin() * 3.25)(torch.randn(7))
