import pytest
import torch

from ballad.data.images import ImageSpec
from ballad.errors import BackboneError
from ballad.model.backbone import load_backbone
from ballad.model.image_tower import resize_input
from ballad.sections import BackboneSettings
from tests.model.conftest import LoadTiny, WriteBackbone


@pytest.mark.parametrize(("kind", "native", "wanted"), [("vit", 32, 64), ("resnet", 64, 96), ("siglip", 160, 96)])
def test_another_image_size_moves_the_position_embeddings_along(
    load_tiny: LoadTiny, kind: str, native: int, wanted: int
):
    backbone = load_tiny(kind)
    resized = load_tiny(kind, image_size=wanted)
    assert (backbone.image_spec.size, resized.image_spec.size) == (native, wanted)
    assert resized.encode_images(torch.randn(2, 3, wanted, wanted)).shape == (2, backbone.embed_dim)
    assert set(resized.image_parameters()) == set(backbone.image_parameters())


def test_interpolated_positions_keep_the_class_token_and_a_constant_grid(write_backbone: WriteBackbone):
    folder = write_backbone("vit")
    backbone = load_backbone(BackboneSettings(name=str(folder)), seed=0)
    visual = backbone._model.visual
    with torch.no_grad():
        visual.positional_embedding[1:] = 2.0
    token = visual.positional_embedding[0].clone()
    resize_input(visual, 80)
    assert visual.positional_embedding.shape == (1 + 5 * 5, 32)
    assert visual.positional_embedding[0].equal(token)
    torch.testing.assert_close(visual.positional_embedding[1:], torch.full((25, 32), 2.0))


def test_the_models_own_size_changes_nothing(load_tiny: LoadTiny):
    own, asked = load_tiny("vit").tower_state(), load_tiny("vit", image_size=32).tower_state()
    assert all(own[name].equal(asked[name]) for name in own)


@pytest.mark.parametrize(("kind", "multiple"), [("vit", 16), ("resnet", 32)])
def test_a_size_that_does_not_divide_is_refused(load_tiny: LoadTiny, kind: str, multiple: int):
    with pytest.raises(BackboneError, match=rf"backbone\.image_size = 100: .* multiples of {multiple} pixels"):
        load_tiny(kind, image_size=100)


def test_preprocessing_is_read_from_the_folder(write_backbone: WriteBackbone):
    preprocess = {"mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bilinear", "resize_mode": "squash"}
    folder = write_backbone("resnet", preprocess=preprocess)
    spec = load_backbone(BackboneSettings(name=str(folder)), seed=0).image_spec
    assert spec == ImageSpec(64, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), "bilinear", "squash")


def test_preprocessing_left_open_is_openais(load_tiny: LoadTiny):
    spec = load_tiny("vit").image_spec
    assert spec.mean == (0.48145466, 0.4578275, 0.40821073)
    assert (spec.interpolation, spec.resize_mode) == ("bicubic", "shortest")


def test_an_unknown_resize_mode_is_refused(write_backbone: WriteBackbone):
    folder = write_backbone("vit", preprocess={"resize_mode": "longest"})
    with pytest.raises(BackboneError, match="resized by 'longest'"):
        load_backbone(BackboneSettings(name=str(folder)), seed=0)
