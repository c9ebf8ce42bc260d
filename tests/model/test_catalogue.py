import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ballad.errors import BackboneError
from ballad.model.catalogue import download_weights, list_backbones, weights_to_download
from ballad.model.construction import instantiate, tower_of
from ballad.model.registry import architecture_config, architecture_names
from ballad.sections import BackboneSettings
from tests.model.conftest import WriteBackbone


def row(architecture: str, tag: str):
    table = list_backbones(architecture)
    return table[(table.architecture == architecture) & (table.tag == tag)].iloc[0]


def test_the_papers_backbones_are_listed_with_their_shapes():
    expected = {"RN50": (1024, 224), "RN101": (512, 224), "ViT-B-16": (512, 224), "RN50x16": (768, 384)}
    for name, shape in expected.items():
        found = row(f"{name}-quickgelu", "openai")
        assert (found.embed_dim, found.image_size) == shape


def test_every_architecture_is_listed_also_without_published_weights():
    table = list_backbones()
    assert set(table.architecture) == set(architecture_names())
    assert table[table.architecture == "ViT-S-16"].tag.isna().all()


def test_search_wants_every_word_in_architecture_or_tag():
    found = list_backbones("vit-l-14 OPENAI")
    assert set(found.architecture) == {"ViT-L-14", "ViT-L-14-quickgelu", "ViT-L-14-336", "ViT-L-14-336-quickgelu"}
    assert set(found.tag) == {"openai"}
    assert list(list_backbones("no such thing").columns) == list(found.columns)


@pytest.mark.parametrize("architecture", ["RN50-quickgelu", "MobileCLIP2-S0", "ViT-B-16-SigLIP2"])
def test_stored_parameter_counts_are_the_models(architecture: str):
    with torch.device("meta"):
        parameters = dict(instantiate(architecture_config(architecture)).named_parameters())
    counts = {
        tower: sum(p.numel() for name, p in parameters.items() if tower_of(name) == tower)
        for tower in ("image", "text")
    }
    stored = list_backbones(architecture).iloc[0]
    assert (stored.image_parameters, stored.text_parameters) == (counts["image"], counts["text"])


def test_downloaded_weights_are_shown_as_on_disk(hub_files: dict[str, bytes]):
    hub_files["timm/resnet50_clip.openai/resolve/main/open_clip_model.safetensors"] = b"weights"
    assert not row("RN50-quickgelu", "openai").on_disk
    rn50 = BackboneSettings(name="RN50")
    missing = weights_to_download(rn50)
    assert missing is not None and missing.repository == "timm/resnet50_clip.openai"
    assert download_weights(rn50).read_bytes() == b"weights"
    assert weights_to_download(rn50) is None
    assert row("RN50-quickgelu", "openai").on_disk
    assert not row("RN50-quickgelu", "cc12m").on_disk


def test_an_unknown_tag_cannot_be_downloaded():
    with pytest.raises(BackboneError, match="no pretrained weights 'opneai'"):
        download_weights(BackboneSettings(name="RN50-quickgelu", pretrained="opneai"))


def test_a_hub_repository_comes_with_its_configuration(hub_files: dict[str, bytes], write_backbone: WriteBackbone):
    folder = write_backbone()
    for file in folder.iterdir():
        hub_files[f"owner/tiny/resolve/main/{file.name}"] = file.read_bytes()
    path = download_weights(BackboneSettings(name="hf-hub:owner/tiny"))
    assert path.with_name("open_clip_config.json").exists()


@pytest.mark.parametrize(
    "settings",
    [
        BackboneSettings(),
        BackboneSettings(name="RN50", pretrained=__file__),
        BackboneSettings(name="RN50", image_tower="random", text_tower="random"),
    ],
)
def test_nothing_is_downloaded_for_own_files_and_random_towers(settings: BackboneSettings):
    assert weights_to_download(settings) is None


def test_listing_does_not_load_torch():
    program = "import sys, ballad.model.catalogue as c; c.list_backbones(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2]).returncode == 0
