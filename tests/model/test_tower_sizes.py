import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ballad.model.backbone import Backbone, load_backbone
from ballad.model.registry import architecture_config, architecture_names, pretrained_tags
from ballad.model.source import DEMO_FOLDER
from ballad.model.tower_sizes import tower_sizes
from ballad.sections import BackboneSettings


def nodes(node: Any, seen: set[Any]) -> Iterator[Any]:
    if node is not None and node not in seen:
        seen.add(node)
        yield node
        for before, _ in node.next_functions:
            yield from nodes(before, seen)


def kept_bytes(backbone: Backbone, features: Tensor) -> int:
    """What the graph behind ``features`` holds beside parameters: the tensors that its nodes show."""
    trained = [*backbone.image_parameters().values(), *backbone.text_parameters().values()]
    parameters = {parameter.untyped_storage().data_ptr() for parameter in trained}
    kept = {}
    for node in nodes(features.grad_fn, set()):
        for name in dir(node):
            value = getattr(node, name) if name.startswith("_saved_") else None
            for tensor in value if isinstance(value, tuple | list) else [value]:
                if isinstance(tensor, Tensor):
                    kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
    return sum(size for address, size in kept.items() if address not in parameters)


@pytest.mark.parametrize("name", ["demo", "RN50", "ViT-S-32-alt", "MobileCLIP2-S0", "coca_ViT-B-32", "convnext_tiny"])
def test_stored_sizes_are_what_real_towers_keep(name: str):
    settings = BackboneSettings(name=name, image_tower="random", text_tower="random")
    stored = tower_sizes(settings)
    assert stored is not None
    backbone = load_backbone(settings, seed=0)
    backbone.set_tuned("both")
    size = backbone.image_spec.size
    assert stored.image_size == size
    one, two = (kept_bytes(backbone, backbone.encode_images(torch.randn(n, 3, size, size))) for n in (1, 2))
    assert two - one == stored.image_bytes
    tokens = backbone.tokenize(["a photo of a long row of very small red houses.", "a photo of a cat."])
    long, short = (kept_bytes(backbone, backbone.encode_text(prompt[None])) for prompt in tokens)
    if stored.prompt_tokens:
        assert tokens.shape[1] == stored.prompt_tokens and long == short
    else:
        more = int((tokens[0] > 0).sum() - (tokens[1] > 0).sum())
        assert long - short == pytest.approx(more * stored.token_bytes, rel=0.01)


def test_the_papers_backbones_keep_what_the_documentation_says():
    megabytes = {"RN50": 50.1, "RN101": 70.6, "ViT-B/16": 147.8, "RN50x16": 403.1}
    for name, expected in megabytes.items():
        sizes = tower_sizes(BackboneSettings(name=name))
        assert sizes is not None and round(sizes.image_bytes / 1e6, 1) == expected


def test_every_architecture_with_a_text_tower_of_its_own_is_known_under_every_tag():
    for name in architecture_names():
        for tag in pretrained_tags(name):
            sizes = tower_sizes(BackboneSettings(name=name, pretrained=tag))
            assert (sizes is None) == ("hf_model_name" in architecture_config(name)["text_cfg"]), (name, tag)


def test_weights_that_were_trained_with_quickgelu_keep_more():
    plain, quick = (tower_sizes(BackboneSettings(name="ViT-B-32", pretrained=tag)) for tag in ("laion2b_e16", "openai"))
    assert plain is not None and quick is not None
    assert quick.image_bytes > 1.2 * plain.image_bytes


def test_a_folder_is_known_by_its_layout_and_not_by_its_name(tmp_path: Path):
    def sizes_of(layout: dict[str, Any]) -> Any:
        (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": layout}))
        settings = BackboneSettings(name=f"local-dir:{tmp_path}", image_tower="random", text_tower="random")
        return tower_sizes(settings)

    listed = architecture_config("ViT-S-32")
    assert sizes_of(listed) == tower_sizes(BackboneSettings(name="ViT-S-32", image_tower="random", text_tower="random"))
    assert sizes_of({**listed, "embed_dim": 100}) is None
    demo = json.loads((DEMO_FOLDER / "open_clip_config.json").read_text())["model_cfg"]
    assert sizes_of(demo) == tower_sizes(BackboneSettings())


def test_a_repository_of_the_hub_is_not_asked():
    assert tower_sizes(BackboneSettings(name="hf-hub:owner/model")) is None
