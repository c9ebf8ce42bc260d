"""Tiny dual encoders with random weights, one of each kind of tower, and a hub of our own to fetch them from."""

import json
import threading
from collections.abc import Callable, Iterator
from copy import deepcopy
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import huggingface_hub.constants as hub_constants
import pytest
from safetensors.torch import save_file

from ballad.model.backbone import Backbone, load_backbone
from ballad.model.construction import build_model
from ballad.model.source import BackboneLayout
from ballad.sections import BackboneSettings
from tests.model.local_hub import Hub

CAUSAL_TEXT = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2}
BIDIRECTIONAL_TEXT = {**CAUSAL_TEXT, "context_length": 16, "no_causal_mask": True}

CONFIGS: dict[str, dict[str, Any]] = {
    "vit": {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": CAUSAL_TEXT,
        "quick_gelu": True,
    },
    "resnet": {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "patch_size": None},
        "text_cfg": CAUSAL_TEXT,
    },
    "timm": {
        "embed_dim": 16,
        "vision_cfg": {"timm_model_name": "test_resnet", "timm_pool": "avg", "timm_proj": "linear", "image_size": 64},
        "text_cfg": {**CAUSAL_TEXT, "pool_type": "eos", "eos_id": 49407},
        "custom_text": True,
    },
    "siglip": {
        "embed_dim": 64,
        "init_logit_bias": -10,
        "vision_cfg": {"timm_model_name": "test_vit", "timm_pool": "map", "timm_proj": "none", "image_size": 160},
        "text_cfg": {**BIDIRECTIONAL_TEXT, "pool_type": "last", "proj_bias": True},
        "custom_text": True,
    },
    "mobileclip": {
        "embed_dim": 16,
        "vision_cfg": {"timm_model_name": "fastvit_t8", "timm_pool": "avg", "timm_proj": "linear", "image_size": 64},
        "text_cfg": BIDIRECTIONAL_TEXT,
        "custom_text": True,
    },
    "coca": {
        "embed_dim": 16,
        "vision_cfg": {
            "image_size": 32,
            "layers": 1,
            "width": 32,
            "head_width": 16,
            "patch_size": 16,
            "attentional_pool": True,
            "output_tokens": True,
        },
        "text_cfg": {**CAUSAL_TEXT, "context_length": 16, "embed_cls": True, "output_tokens": True},
        "multimodal_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
        "custom_text": True,
    },
}

WriteBackbone = Callable[..., Path]
LoadTiny = Callable[..., Backbone]


@pytest.fixture
def write_backbone(tmp_path: Path) -> WriteBackbone:
    """Write a folder with a tiny model of a kind in CONFIGS; its weights follow from ``seed``."""

    def write(kind: str = "vit", *, seed: int = 0, preprocess: dict[str, Any] | None = None, name: str = "") -> Path:
        folder = tmp_path / (name or kind)
        folder.mkdir(exist_ok=True)
        config = {"model_cfg": CONFIGS[kind], "preprocess_cfg": preprocess or {}}
        (folder / "open_clip_config.json").write_text(json.dumps(config))
        layout = BackboneLayout(deepcopy(CONFIGS[kind]), {})
        model = build_model(layout, None, BackboneSettings(), seed=seed)
        # open_clip leaves a part of CoCa's decoder as the memory was, which may be no numbers.
        state = {name: tensor.nan_to_num(0, 0, 0) for name, tensor in model.state_dict().items()}
        save_file(state, folder / "open_clip_model.safetensors")
        return folder

    return write


@pytest.fixture
def load_tiny(write_backbone: WriteBackbone) -> LoadTiny:
    """Load a tiny model of a kind in CONFIGS, with any backbone settings beside."""

    def load(kind: str = "vit", *, seed: int = 0, **settings: Any) -> Backbone:
        return load_backbone(BackboneSettings(name=str(write_backbone(kind)), **settings), seed=seed)

    return load


@pytest.fixture
def hub_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """The files of a hub that runs during the test, to be filled in; the client's cache starts empty."""
    files: dict[str, bytes] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("ThisHub", (Hub,), {"files": files}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _use_hub(monkeypatch, tmp_path, f"http://127.0.0.1:{server.server_port}")
    yield files
    server.shutdown()
    server.server_close()


@pytest.fixture
def no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers where the hub should be."""
    _use_hub(monkeypatch, tmp_path, "http://127.0.0.1:9")


def _use_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str) -> None:
    monkeypatch.setattr(hub_constants, "ENDPOINT", address)
    monkeypatch.setattr(
        hub_constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(hub_constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
