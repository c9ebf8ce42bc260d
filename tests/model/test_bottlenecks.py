import open_clip
import pytest
import torch

from ballad.errors import BackboneError
from ballad.model.bottlenecks import MARK, add_bottlenecks, bottleneck_width
from tests.model.conftest import LoadTiny


def images(backbone, count: int = 2) -> torch.Tensor:
    size = backbone.image_spec.size
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(0))


def of_bottlenecks(backbone) -> dict[str, torch.nn.Parameter]:
    return {name: parameter for name, parameter in backbone.image_parameters().items() if MARK in name}


@pytest.mark.parametrize(
    ("classes", "blocks", "width"), [(1000, 12, 32), (365, 12, 8), (100, 12, 4), (8142, 12, 256), (10, 12, 1)]
)
def test_the_width_is_that_of_the_authors(classes: int, blocks: int, width: int):
    assert bottleneck_width(classes, blocks) == width


def test_on_a_vit_b_16_with_1000_classes_they_have_620_000_parameters():
    with torch.device("meta"):
        visual = open_clip.CLIP(**open_clip.get_model_config("ViT-B-16")).visual
    before = sum(parameter.numel() for parameter in visual.parameters())
    add_bottlenecks(visual, classes=1000)
    added = sum(parameter.numel() for parameter in visual.parameters()) - before
    # In each of 12 blocks: a normalisation of 2 · 768, down 768 · 32 + 32, up 32 · 768 + 768, and the scale.
    assert added == 12 * (2 * 768 + 768 * 32 + 32 + 32 * 768 + 768 + 1)
    assert round(added / 1e6, 2) == 0.62
    assert round(1000 * visual.proj.shape[0] / 1e6, 2) == 0.77


def test_at_their_start_features_are_the_same_to_the_last_bit(load_tiny: LoadTiny):
    backbone = load_tiny("vit")
    before = [backbone.encode_images(images(backbone), space) for space in ("joint", "before_projection")]
    backbone.add_bottlenecks(classes=100, seed=0)
    after = [backbone.encode_images(images(backbone), space) for space in ("joint", "before_projection")]
    assert len(of_bottlenecks(backbone)) == 7
    assert all(one.equal(other) for one, other in zip(before, after, strict=True))


def test_they_read_the_residual_stream_and_add_to_it(load_tiny: LoadTiny):
    backbone = load_tiny("vit")
    backbone.add_bottlenecks(classes=16, seed=3)
    (block,) = backbone._model.visual.transformer.resblocks
    with torch.no_grad():
        block.bottleneck.up.weight.normal_(generator=torch.Generator().manual_seed(1))
        block.bottleneck.scale.fill_(0.5)
    tokens = torch.randn(2, 5, 32, generator=torch.Generator().manual_seed(2))
    attended = tokens + block.attention(block.ln_1(tokens))
    hidden = torch.relu(block.bottleneck.norm(attended) @ block.bottleneck.down.weight.T)
    expected = attended + block.mlp(block.ln_2(attended)) + 0.5 * hidden @ block.bottleneck.up.weight.T
    torch.testing.assert_close(block(tokens), expected)


def test_in_a_vit_of_timm_s_they_do_the_same(load_tiny: LoadTiny):
    backbone = load_tiny("siglip")
    before = backbone.encode_images(images(backbone))
    backbone.add_bottlenecks(classes=100, seed=3)
    blocks = backbone._model.visual.trunk.blocks
    assert len(of_bottlenecks(backbone)) == 7 * len(blocks)
    assert backbone.encode_images(images(backbone)).equal(before)
    block = blocks[0]
    with torch.no_grad():
        block.bottleneck.up.weight.normal_(generator=torch.Generator().manual_seed(1))
    tokens = torch.randn(2, 5, len(block.norm2.weight), generator=torch.Generator().manual_seed(2))
    attended = tokens + block.ls1(block.attn(block.norm1(tokens)))
    expected = attended + block.ls2(block.mlp(block.norm2(attended))) + block.bottleneck(attended)
    torch.testing.assert_close(block(tokens), expected)
    assert not block(tokens).equal(attended + block.ls2(block.mlp(block.norm2(attended))))


@pytest.mark.parametrize("kind", ["vit", "siglip"])
def test_nothing_else_is_tuned(load_tiny: LoadTiny, kind: str):
    backbone = load_tiny(kind)
    backbone.add_bottlenecks(classes=16, seed=0)
    backbone.set_tuned("lift")
    backbone.encode_images(images(backbone)).sum().backward()
    reached = {name for name, parameter in backbone._model.named_parameters() if parameter.grad is not None}
    assert reached == set(of_bottlenecks(backbone))


def test_their_start_follows_the_seed_alone(load_tiny: LoadTiny):
    starts = []
    for seed in (0, 0, 1):
        backbone = load_tiny("vit")
        torch.manual_seed(len(starts))
        backbone.add_bottlenecks(classes=1000, seed=seed)
        starts.append(backbone.tower_state()["visual.transformer.resblocks.0.bottleneck.down.weight"])
    assert starts[0].equal(starts[1]) and not starts[0].equal(starts[2])
    assert starts[0].std().item() == pytest.approx((3 * 32) ** -0.5, rel=0.05)


@pytest.mark.parametrize("kind", ["vit", "siglip"])
def test_towers_with_bottlenecks_go_back_into_an_untouched_backbone(load_tiny: LoadTiny, kind: str):
    tuned, untouched = load_tiny(kind), load_tiny(kind)
    tuned.add_bottlenecks(classes=16, seed=0)
    with torch.no_grad():
        for parameter in of_bottlenecks(tuned).values():
            parameter.add_(0.3)
    untouched.load_tower_state(tuned.tower_state())
    assert untouched.encode_images(images(tuned)).equal(tuned.encode_images(images(tuned)))


@pytest.mark.parametrize("kind", ["resnet", "timm", "mobileclip"])
def test_a_tower_of_another_kind_has_no_place_for_them(load_tiny: LoadTiny, kind: str):
    with pytest.raises(BackboneError, match="choose such a ViT"):
        load_tiny(kind).add_bottlenecks(classes=16, seed=0)
