import json
from copy import deepcopy

import pytest

from ballad.errors import BackboneError
from ballad.model.backbone import load_backbone
from ballad.model.layout_limits import check_layout
from ballad.model.registry import architecture_config, architecture_names
from ballad.sections import BackboneSettings
from tests.model.conftest import CONFIGS, WriteBackbone


def test_every_published_architecture_is_within_the_limits():
    for name in architecture_names():
        check_layout(architecture_config(name), name)


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        ("vision_cfg", "image_size", -5),
        ("vision_cfg", "image_size", [224, 0]),
        ("vision_cfg", "image_size", 10**6),
        ("vision_cfg", "layers", 10**7),
        ("vision_cfg", "patch_size", 1.5),
        ("text_cfg", "layers", 10**7),
        ("text_cfg", "width", True),
        ("text_cfg", "context_length", 0),
        ("text_cfg", "vocab_size", "many"),
    ],
)
def test_sizes_that_no_model_has_are_refused_before_it_is_built(write_backbone: WriteBackbone, section, field, value):
    folder = write_backbone()
    config = deepcopy(CONFIGS["vit"])
    config[section][field] = value
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config}))
    with pytest.raises(BackboneError, match=rf"{section}\.{field} = .* in .*open_clip_config\.json is impossible"):
        load_backbone(BackboneSettings(name=str(folder)), seed=0)


def test_a_tower_larger_than_any_is_refused():
    config = deepcopy(CONFIGS["vit"])
    config["vision_cfg"] |= {"layers": 900, "width": 60_000}
    with pytest.raises(BackboneError, match="parameters, more than any published"):
        check_layout(config, "here")


def test_a_vocabulary_smaller_than_the_tokenizers_is_named(write_backbone: WriteBackbone):
    folder = write_backbone()
    config = deepcopy(CONFIGS["vit"])
    config["text_cfg"]["vocab_size"] = 1000
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config}))
    with pytest.raises(BackboneError, match=r"knows 1,000 tokens.*has 49,408"):
        load_backbone(BackboneSettings(name=str(folder), image_tower="random", text_tower="random"), seed=0)
