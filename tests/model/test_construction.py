import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from ballad.errors import BackboneError
from ballad.model.backbone import load_backbone
from ballad.model.construction import _check_activation, build_model, complete_layout, instantiate, tower_of
from ballad.model.source import BackboneLayout, find_source, read_layout
from ballad.sections import BackboneSettings
from tests.model.conftest import CONFIGS, WriteBackbone


def layout(name: str, pretrained: str | None = None):
    source = find_source(BackboneSettings(name=name, pretrained=pretrained))
    return complete_layout(read_layout(source), source, source.checkpoint)


@pytest.mark.parametrize(
    ("name", "tag", "quick_gelu"),
    [
        ("RN50", "openai", True),
        ("RN50", "cc12m", True),
        ("ViT-B-32", "openai", True),
        ("ViT-B-32", "laion2b_s34b_b79k", False),
        ("ViT-H-14-worldwide", "metaclip2_worldwide", True),
    ],
)
def test_the_activation_is_that_of_the_weights(name: str, tag: str, quick_gelu: bool):
    assert layout(name, tag).model["quick_gelu"] is quick_gelu


def test_a_model_with_another_activation_than_its_weights_is_refused():
    model = instantiate(CONFIGS["vit"] | {"quick_gelu": False})
    _check_activation(model, False)
    with pytest.raises(BackboneError, match="without QuickGELU"):
        _check_activation(model, True)


def test_preprocessing_is_that_of_the_published_weights():
    siglip = layout("ViT-B-16-SigLIP2").preprocess
    assert (siglip["mean"], siglip["resize_mode"]) == ((0.5, 0.5, 0.5), "squash")
    assert layout("RN50x16").preprocess["resize_mode"] == "shortest"


def test_a_file_is_prepared_for_as_the_architectures_published_weights(tmp_path: Path):
    (tmp_path / "mine.safetensors").write_bytes(b"")
    assert layout("ViT-B-16-SigLIP2", str(tmp_path / "mine.safetensors")).preprocess["resize_mode"] == "squash"


@pytest.mark.parametrize("part", ["vision_cfg", "text_cfg"])
def test_a_configuration_that_open_clip_does_not_know_is_refused(write_backbone: WriteBackbone, part: str):
    folder = write_backbone()
    config = {"model_cfg": CONFIGS["vit"] | {part: {"unheard_of": 1}}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(BackboneError, match=r"cannot build a model.*unheard_of"):
        load_backbone(BackboneSettings(name=str(folder)), seed=0)


def test_towers_that_do_not_meet_are_refused(write_backbone: WriteBackbone):
    folder = write_backbone("siglip")  # whose image tower has no projection to bring it to another size
    config = {"model_cfg": CONFIGS["siglip"] | {"embed_dim": 32}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    random = BackboneSettings(name=str(folder), image_tower="random", text_tower="random")
    with pytest.raises(BackboneError, match=r"embed_dim is 32, but its image tower gives 64 numbers and .* text .* 32"):
        load_backbone(random, seed=0)


def test_building_leaves_the_configuration_as_it_was():
    before = json.dumps(CONFIGS["siglip"])
    instantiate(CONFIGS["siglip"])
    assert json.dumps(CONFIGS["siglip"]) == before


@pytest.mark.parametrize(
    ("name", "tower"),
    [
        ("visual.proj", "image"),
        ("visual.bn1.running_mean", "image"),
        ("token_embedding.weight", "text"),
        ("text.transformer.resblocks.0.ln_1.weight", "text"),
        ("logit_scale", None),
        ("logit_bias", None),
        ("text_decoder.ln_final.weight", None),
    ],
)
def test_every_parameter_has_its_tower(name: str, tower: str | None):
    assert tower_of(name) == tower


def test_random_towers_that_are_built_at_once_are_those_of_their_own_seeds():
    def weights(seed: int) -> torch.Tensor:
        model = build_model(BackboneLayout(CONFIGS["vit"], {}), None, BackboneSettings(), seed=seed)
        return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])

    alone = [weights(seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(weights, range(8)))
    assert all(mine.equal(expected) for mine, expected in zip(together, alone, strict=True))
