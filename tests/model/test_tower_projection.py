import pytest
import torch
import torch.nn.functional as F

from ballad.model.projection import projection_of
from tests.model.conftest import CONFIGS, LoadTiny

SIZES = {"vit": 32, "resnet": 256, "timm": 96, "siglip": 64, "mobileclip": 768, "coca": 16}
"""Of features before the projection; SigLIP's trunk has none, so they are the joint ones."""


def images(backbone) -> torch.Tensor:
    size = backbone.image_spec.size
    return torch.randn(3, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kind", CONFIGS)
def test_projecting_the_features_before_it_gives_the_joint_ones(load_tiny: LoadTiny, kind: str):
    backbone = load_tiny(kind)
    before, joint = (backbone.encode_images(images(backbone), space) for space in ("before_projection", "joint"))
    assert before.shape == (3, SIZES[kind]) and backbone.dim("before_projection") == SIZES[kind]
    projection = projection_of(backbone._model.visual)
    assert (projection is None) == (kind == "siglip")
    if projection is not None:
        before = before @ projection.weight + (0 if projection.bias is None else projection.bias)
    torch.testing.assert_close(before, joint)


@pytest.mark.parametrize("kind", ["vit", "resnet"])
def test_the_projection_is_back_after_each_call(load_tiny: LoadTiny, kind: str):
    backbone = load_tiny(kind)
    first = backbone.encode_images(images(backbone))
    backbone.encode_images(images(backbone), "before_projection")
    assert backbone.encode_images(images(backbone)).equal(first)


@pytest.mark.parametrize("kind", CONFIGS)
def test_images_are_as_similar_to_texts_taken_back_as_to_the_texts(load_tiny: LoadTiny, kind: str):
    backbone = load_tiny(kind)
    texts = F.normalize(torch.randn(5, backbone.embed_dim, generator=torch.Generator().manual_seed(1)), dim=1)
    back = backbone.texts_in("before_projection", texts)
    assert back.norm(dim=1).tolist() == pytest.approx([1] * 5)
    joint, before = (backbone.encode_images(images(backbone), space) for space in ("joint", "before_projection"))
    projection = projection_of(backbone._model.visual)
    lengths, shift = torch.ones(5), torch.zeros(5)
    if projection is not None:
        lengths = (texts @ projection.weight.T).norm(dim=1)
        shift = shift if projection.bias is None else texts @ projection.bias
    torch.testing.assert_close(before @ back.T * lengths + shift, joint @ texts.T)


@pytest.mark.parametrize("kind", ["vit", "resnet"])
def test_gradients_before_the_projection_reach_all_of_the_tower_but_the_projection(load_tiny: LoadTiny, kind: str):
    backbone = load_tiny(kind)
    backbone.set_tuned("image")
    backbone.encode_images(images(backbone), "before_projection").sum().backward()
    untouched = {name for name, parameter in backbone.image_parameters().items() if parameter.grad is None}
    of_projection = {"vit": {"visual.proj"}, "resnet": {"visual.attnpool.c_proj.weight", "visual.attnpool.c_proj.bias"}}
    assert untouched == of_projection[kind]
