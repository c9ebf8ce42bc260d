import pytest
import torch

from ballad.model.backbone import Backbone, load_backbone
from ballad.sections import BackboneSettings
from tests.model.conftest import LoadTiny


def prompts(count: int, longest: int) -> list[str]:
    return [f"a photo of a {'very ' * (number % (longest + 1))}big dog." for number in range(count)]


@pytest.fixture(scope="module")
def random_rn50() -> Backbone:
    return load_backbone(BackboneSettings(name="RN50", image_tower="random", text_tower="random"), seed=0)


@pytest.mark.parametrize(("count", "longest"), [(1, 0), (3, 3), (5, 8), (4, 25)])
def test_cut_prompts_give_an_rn50_the_same_features(random_rn50: Backbone, count: int, longest: int):
    sentences = prompts(count, longest)
    full, cut = random_rn50._tokenizer(sentences), random_rn50.tokenize(sentences)
    assert cut.shape[1] < full.shape[1] == 77
    with torch.no_grad():
        expected = random_rn50._model.encode_text(full)
        assert (random_rn50.encode_text(cut) - expected).abs().max() < 1e-5 * expected.abs().max()


def test_cut_prompts_give_an_rn50_the_same_gradients(random_rn50: Backbone):
    sentences = prompts(3, 3)
    random_rn50.set_tuned("text")
    parameters = random_rn50.text_parameters()
    features = [
        random_rn50._model.encode_text(random_rn50._tokenizer(sentences)),
        random_rn50.encode_text(random_rn50.tokenize(sentences)),
    ]
    weights = torch.randn(features[0].shape, generator=torch.Generator().manual_seed(0))
    full, cut = (torch.autograd.grad((f * weights).sum(), list(parameters.values())) for f in features)
    # Sums over positions, in another order: equal to fp32 rounding, relative to the largest entry.
    for name, expected, found in zip(parameters, full, cut, strict=True):
        error = (found - expected).abs().max() / expected.abs().max()
        assert error < 1e-5, name


def test_positions_behind_the_cut_get_no_gradient(load_tiny: LoadTiny):
    backbone = load_tiny("vit")
    backbone.set_tuned("text")
    tokens = backbone.tokenize(["a dog"])
    backbone.encode_text(tokens).sum().backward()
    gradient = backbone.text_parameters()["positional_embedding"].grad
    assert gradient.shape == (77, 32)
    assert gradient[tokens.shape[1] :].eq(0).all()
    assert gradient[:4].ne(0).any(dim=1).all()


@pytest.mark.parametrize("kind", ["vit", "timm"])
def test_any_causal_tower_is_cut_exactly(load_tiny: LoadTiny, kind: str):
    """Both of open_clip's model classes, and both ways to find the end of a text."""
    backbone = load_tiny(kind)
    sentences = prompts(6, 5)
    cut = backbone.tokenize(sentences)
    assert cut.shape[1] == 14  # start, a photo of a, five times very, big dog., end
    full = backbone._model.encode_text(backbone._tokenizer(sentences))
    torch.testing.assert_close(backbone.encode_text(cut), full, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["siglip", "mobileclip", "coca"])
def test_towers_that_see_the_padding_get_their_full_context(load_tiny: LoadTiny, kind: str):
    backbone = load_tiny(kind)
    tokens = backbone.tokenize(["a dog"])
    assert tokens.shape[1] == 16
    assert backbone.encode_text(tokens).equal(backbone._model.encode_text(tokens, normalize=False))


def test_a_prompt_beyond_the_context_still_ends_with_end_of_text(load_tiny: LoadTiny):
    tokens = load_tiny("vit").tokenize(["very " * 200, "a dog"])
    assert tokens.shape[1] == 77
    assert tokens[0, -1] == 49407
