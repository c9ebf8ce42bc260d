import open_clip
import pytest
from open_clip.pretrained import get_pretrained_cfg

from ballad.model.registry import architecture_config, architecture_names, pretrained_tags


def test_lists_what_open_clip_lists():
    assert set(architecture_names()) == set(open_clip.list_models())
    ours = {(name, tag) for name in architecture_names() for tag in pretrained_tags(name)}
    assert ours == {(name, tag) for name, tag in open_clip.list_pretrained() if name in open_clip.list_models()}


@pytest.mark.parametrize(
    ("architecture", "tag"), [("RN50-quickgelu", "openai"), ("ViTamin-S", "datacomp1b"), ("ViT-B-16-SigLIP2", "webli")]
)
def test_knows_where_weights_lie(architecture: str, tag: str):
    weights = pretrained_tags(architecture)[tag]
    hf_hub = get_pretrained_cfg(architecture, tag)["hf_hub"]
    assert hf_hub in (f"{weights.repository}/", f"{weights.repository}/{weights.filenames[-1]}")
    assert weights.filenames[0].endswith(".safetensors")


def test_a_configuration_is_the_callers_to_change():
    architecture_config("RN50")["text_cfg"]["width"] = 1
    assert architecture_config("RN50")["text_cfg"]["width"] == 512


def test_an_architecture_without_published_weights_has_no_tags():
    assert pretrained_tags("ViT-S-16") == {}
