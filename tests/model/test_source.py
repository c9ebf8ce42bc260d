from pathlib import Path

import pytest

from ballad.errors import BackboneError
from ballad.model.source import DEMO_FOLDER, find_source, folder_weights, read_layout
from ballad.sections import BackboneSettings


def source(name: str, **settings: str):
    return find_source(BackboneSettings(name=name, **settings))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "open_clip_config.json").write_text('{"model_cfg": {"embed_dim": 1, "vision_cfg": {}, "text_cfg": {}}}')
    return tmp_path


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("RN50", "RN50-quickgelu"),
        ("RN101", "RN101-quickgelu"),
        ("ViT-B/16", "ViT-B-16-quickgelu"),
        ("RN50x16", "RN50x16-quickgelu"),
    ],
)
def test_the_papers_names_are_openais_models_with_quickgelu(name: str, architecture: str):
    found = source(name)
    assert (found.name, found.tag) == (architecture, "openai")
    assert read_layout(found).model["quick_gelu"] is True


def test_any_architecture_and_tag():
    assert source("ViT-B-32", pretrained="laion2b_s34b_b79k").tag == "laion2b_s34b_b79k"
    assert source("ViT-B/32", pretrained="LAION2B-s34b-b79k").name == "ViT-B-32"
    assert source("ViT-B-16-SigLIP2").tag == "webli", "the only one there is"


def test_the_demo_is_a_folder_of_the_package():
    assert source("demo").name == str(DEMO_FOLDER)


def test_folders_with_and_without_prefix(folder: Path):
    assert source(str(folder)) == source(f"local-dir:{folder}")
    assert source(str(folder)).kind == "folder"


@pytest.mark.parametrize("name", ["a" * 400, "~nobody-of-this-name/clip"])
def test_what_no_folder_can_be_called(name: str):
    with pytest.raises(BackboneError, match="There is no backbone"):
        source(name)
    with pytest.raises(BackboneError, match="does not exist"):
        source(f"local-dir:{name}")


def test_hub_names():
    assert (source("hf-hub:timm/vit").kind, source("hf-hub:timm/vit").name) == ("hub", "timm/vit")


def test_two_random_towers_need_no_weights(folder: Path):
    settings = {"image_tower": "random", "text_tower": "random"}
    assert not source("ViT-S-16", **settings).needs_weights
    assert source("RN50", **settings).tag is None
    assert source("ViT-S-16", pretrained=__file__, image_tower="random").needs_weights


@pytest.mark.parametrize(
    ("name", "pretrained", "sentence"),
    [
        ("RN5O", None, "There is no backbone 'RN5O'.*Did you mean RN50"),
        ("vit-l-14", None, "Did you mean ViT-L-14 "),
        ("nothing like it", None, "There is no backbone.*lists them all"),
        ("ViT-L-14", "opneai", "has no pretrained weights 'opneai'. Did you mean openai"),
        ("ViT-L-14", "zzz", "Its tags are .*openai"),
        ("ViT-L-14", None, "several pretrained weights.*TAG being one of .*openai"),
        ("ViT-S-16", None, "has no published weights; give a file"),
        ("RN50", "missing/file.pt", "weights file missing/file.pt .*does not exist"),
        ("my/weights.safetensors", None, "is a weights file: choose its architecture"),
        ("local-dir:no/such/folder", None, "folder no/such/folder does not exist"),
        ("hf-hub:two words", None, "does not name a hub repository"),
    ],
)
def test_mistakes_end_in_a_sentence(name: str, pretrained: str | None, sentence: str):
    with pytest.raises(BackboneError, match=sentence):
        source(name, pretrained=pretrained)


def test_a_tag_does_not_go_with_a_folder(folder: Path):
    with pytest.raises(BackboneError, match=r"no pretrained weights 'openai'\. It accepts only a weights file"):
        source(str(folder), pretrained="openai")


def test_a_folder_without_configuration_is_refused(tmp_path: Path):
    with pytest.raises(BackboneError, match=r"has no open_clip_config\.json"):
        source(str(tmp_path))


@pytest.mark.parametrize("config", ["not json", "[]", '{"model_cfg": {"embed_dim": 1}}'])
def test_a_malformed_configuration_is_named(folder: Path, config: str):
    (folder / "open_clip_config.json").write_text(config)
    with pytest.raises(BackboneError, match=r"open_clip_config\.json is not open_clip's"):
        read_layout(source(str(folder)))


def test_a_folders_weights_are_found_safetensors_first(folder: Path):
    with pytest.raises(BackboneError, match="holds no weights"):
        folder_weights(folder)
    (folder / "mine.pt").touch()
    assert folder_weights(folder).name == "mine.pt"
    (folder / "yours.pt").touch()
    with pytest.raises(BackboneError, match=r"several weights files \(mine\.pt, yours\.pt\)"):
        folder_weights(folder)
    (folder / "other.safetensors").touch()
    assert folder_weights(folder).name == "other.safetensors"
    (folder / "open_clip_pytorch_model.bin").touch()
    assert folder_weights(folder).name == "open_clip_pytorch_model.bin"
    (folder / "open_clip_model.safetensors").touch()
    assert folder_weights(folder).name == "open_clip_model.safetensors"
