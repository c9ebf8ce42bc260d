import pytest
import torch
import torch.nn.functional as F

from ballad.errors import BackboneError
from ballad.sections import PromptSettings
from tests.model.conftest import CONFIGS, LoadTiny

NAMES = ["sea snake", "goldfish", "a name that is rather longer"]
KINDS = list(CONFIGS)


def images(backbone, count: int = 2) -> torch.Tensor:
    size = backbone.image_spec.size
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kind", KINDS)
def test_both_towers_reach_the_joint_space(load_tiny: LoadTiny, kind: str):
    backbone = load_tiny(kind)
    assert backbone.embed_dim == CONFIGS[kind]["embed_dim"]
    assert backbone.encode_images(images(backbone)).shape == (2, backbone.embed_dim)
    classes = backbone.encode_classes(NAMES, PromptSettings(), seed=0)
    assert classes.shape == (3, backbone.embed_dim)
    assert classes.norm(dim=1).tolist() == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tuned", ["image", "text", "both", None])
def test_gradients_reach_exactly_the_tuned_towers(load_tiny: LoadTiny, kind: str, tuned):
    backbone = load_tiny(kind)
    backbone.set_tuned(tuned)
    similarities = backbone.encode_images(images(backbone)) @ backbone.encode_classes(NAMES, PromptSettings(), seed=0).T
    if tuned:
        similarities.sum().backward()
    else:
        assert not similarities.requires_grad
    reached = {name for name, p in backbone._model.named_parameters() if p.grad is not None}
    image, text = set(backbone.image_parameters()), set(backbone.text_parameters())
    assert image and text and not image & text
    assert not any(name.startswith(("logit_", "text_decoder.")) for name in image | text)
    expected = {"image": image, "text": text, "both": image | text, None: set()}[tuned]
    assert reached == expected


@pytest.mark.parametrize("kind", ["resnet", "timm"])
def test_batch_norm_statistics_stay_while_tuning(load_tiny: LoadTiny, kind: str):
    backbone = load_tiny(kind)
    statistics = {name for name in backbone.tower_state() if "running" in name}
    assert statistics
    before = backbone.tower_state()
    backbone.set_tuned("both")
    backbone.encode_images(3 + images(backbone, 4)).sum().backward()
    assert all(backbone.tower_state()[name].equal(before[name]) for name in before)


def test_an_image_is_encoded_alike_alone_and_in_a_batch(load_tiny: LoadTiny):
    backbone = load_tiny("resnet")
    batch = images(backbone, 4)
    torch.testing.assert_close(backbone.encode_images(batch[:1]), backbone.encode_images(batch)[:1])


@pytest.mark.parametrize("kind", KINDS)
def test_channels_last_images_give_the_same_features_and_gradients(load_tiny: LoadTiny, kind: str):
    """Also with MobileCLIP's stem, on which torch's backward pass in that format crashes."""
    backbone = load_tiny(kind)
    backbone.set_tuned("image")
    batch = images(backbone)
    results = []
    for memory_format in (torch.contiguous_format, torch.channels_last):
        features = backbone.encode_images(batch.contiguous(memory_format=memory_format))
        results.append((features, *torch.autograd.grad(features.sum(), list(backbone.image_parameters().values()))))
    for plain, channels_last in zip(*results, strict=True):
        torch.testing.assert_close(channels_last, plain)


def test_an_ensemble_is_the_normalised_mean_of_unit_vectors(load_tiny: LoadTiny):
    backbone = load_tiny()
    prompts = PromptSettings(kind="custom", templates=("a {}.", "the small {} here."))
    one = F.normalize(backbone.encode_text(backbone.tokenize(["a dog."])), dim=1)
    other = F.normalize(backbone.encode_text(backbone.tokenize(["the small dog here."])), dim=1)
    expected = (one + other) / (one + other).norm()
    torch.testing.assert_close(backbone.encode_classes(["dog"], prompts, seed=0), expected)


def test_class_embeddings_do_not_depend_on_how_many_are_encoded_together(load_tiny: LoadTiny, monkeypatch):
    backbone = load_tiny()
    names = [f"thing {number}" for number in range(9)]
    together = backbone.encode_classes(names, PromptSettings(), seed=0)
    monkeypatch.setattr("ballad.model.backbone.PROMPTS_AT_ONCE", 2)
    torch.testing.assert_close(backbone.encode_classes(names, PromptSettings(), seed=0), together)


def test_logit_scale_is_the_models_own_unless_a_temperature_is_set(load_tiny: LoadTiny):
    assert load_tiny().logit_scale == pytest.approx(1 / 0.07)
    assert load_tiny(temperature=0.05).logit_scale == pytest.approx(20)


def test_sigmoid_models_keep_their_bias(load_tiny: LoadTiny):
    assert load_tiny("siglip").logit_bias == -10
    assert load_tiny("vit").logit_bias is None


def test_tower_state_puts_trained_towers_back(load_tiny: LoadTiny):
    backbone, trained = load_tiny("resnet"), load_tiny("resnet")
    with torch.no_grad():
        for parameter in {**trained.image_parameters(), **trained.text_parameters()}.values():
            parameter.mul_(1.5)
    state = trained.tower_state()
    assert not any(name.startswith("logit_") for name in state)
    backbone.load_tower_state(state)
    torch.testing.assert_close(backbone.encode_images(images(backbone)), trained.encode_images(images(backbone)))
    classes = [b.encode_classes(NAMES, PromptSettings(), seed=0) for b in (backbone, trained)]
    torch.testing.assert_close(*classes)


def test_tower_state_is_a_copy(load_tiny: LoadTiny):
    backbone = load_tiny()
    state = backbone.tower_state()
    with torch.no_grad():
        next(iter(backbone.image_parameters().values())).zero_()
    assert all(tensor.is_contiguous() for tensor in state.values())
    assert not state[next(iter(backbone.image_parameters()))].eq(0).all()


def test_towers_of_another_architecture_are_refused(load_tiny: LoadTiny):
    with pytest.raises(BackboneError, match="do not belong to the backbone"):
        load_tiny("vit").load_tower_state(load_tiny("resnet").tower_state())


def test_a_random_tower_leaves_the_other_as_it_was(load_tiny: LoadTiny):
    pretrained, half = load_tiny("resnet"), load_tiny("resnet", image_tower="random", seed=7)
    same = {name for name, tensor in half.tower_state().items() if tensor.equal(pretrained.tower_state()[name])}
    assert set(half.text_parameters()) <= same
    assert "visual.conv1.weight" not in same
    assert half.logit_scale == pretrained.logit_scale


@pytest.mark.parametrize(("seed", "same"), [(7, True), (8, False)])
def test_random_towers_follow_from_the_seed(load_tiny: LoadTiny, seed: int, same: bool):
    one = load_tiny(image_tower="random", text_tower="random", seed=7).tower_state()
    other = load_tiny(image_tower="random", text_tower="random", seed=seed).tower_state()
    assert one["visual.conv1.weight"].equal(other["visual.conv1.weight"]) is same
    assert one["token_embedding.weight"].equal(other["token_embedding.weight"]) is same


def test_loading_leaves_the_global_random_state_alone(load_tiny: LoadTiny):
    torch.manual_seed(0)
    load_tiny(image_tower="random", seed=7)
    drawn = torch.rand(1)
    torch.manual_seed(0)
    assert drawn.equal(torch.rand(1))
