"""Thirty checkpoint files such as are found in the wild: each gives its weights, or is refused with a sentence."""

import io
import pickle
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save, save_file
from torch import Tensor

from ballad.errors import BackboneError
from ballad.model.backbone import Backbone, load_backbone
from ballad.sections import BackboneSettings

State = dict[str, Tensor]


@dataclass(frozen=True)
class OddCheckpoint:
    """A file to write; ``read`` tells whether it holds the backbone's weights in a form that is understood.

    ``within``: how far the outputs may be off where the numbers were rounded.
    """

    name: str
    write: Callable[[Path], object]
    read: bool
    within: float = 0.0


def try_checkpoints(folder: Path, backbone: Path, count: int | None = None) -> dict[str, int]:
    """How many were read and refused. AssertionError for one that was neither, or gave other outputs."""
    checkpoints = list(_checkpoints(load_file(backbone / "open_clip_model.safetensors")))
    # From the start and the end, so that a few are of both kinds.
    chosen = checkpoints if count is None else [*checkpoints[: count // 2], *checkpoints[-(count - count // 2) :]]
    expected = _outputs(load_backbone(BackboneSettings(name=str(backbone)), seed=0))
    figures = {"read": 0, "refused": 0}
    for checkpoint in chosen:
        path = folder / checkpoint.name
        checkpoint.write(path)
        try:
            loaded = load_backbone(BackboneSettings(name=str(backbone), pretrained=str(path)), seed=0)
        except BackboneError as error:
            figures["refused"] += 1
            assert not checkpoint.read, f"{checkpoint.name} is refused: {error}"
            assert path.name in str(error) and "Traceback" not in str(error) and "\n" not in str(error), error
            continue
        figures["read"] += 1
        assert checkpoint.read, f"{checkpoint.name} holds no such weights and was read"
        for found, wanted in zip(_outputs(loaded), expected, strict=True):
            off = (found - wanted).abs().max() / wanted.abs().max()
            assert off <= checkpoint.within, f"{checkpoint.name} gives other outputs, by {off:.2g}"
    return figures


def _outputs(backbone: Backbone) -> tuple[Tensor, Tensor]:
    size = backbone.image_spec.size
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return backbone.encode_images(images), backbone.encode_text(backbone.tokenize(["a photo of a goldfish."]))


def _checkpoints(state: State) -> Iterator[OddCheckpoint]:
    def tensors(name: str, content: object, *, read: bool = True, within: float = 0.0) -> OddCheckpoint:
        return OddCheckpoint(name, lambda path: torch.save(content, path), read, within)

    def safe(name: str, content: State, *, read: bool = True, within: float = 0.0) -> OddCheckpoint:
        return OddCheckpoint(name, lambda path: save_file(content, path), read, within)

    def raw(name: str, content: bytes, *, read: bool = False) -> OddCheckpoint:
        return OddCheckpoint(name, lambda path: path.write_bytes(content), read)

    def floats(kind: torch.dtype) -> State:
        return {name: each.to(kind) if each.is_floating_point() else each for name, each in state.items()}

    first = next(name for name in state if name.endswith("weight"))
    yield safe("plain.safetensors", state)
    yield tensors("plain.pt", state)
    yield tensors("state_dict.pt", {"state_dict": state, "epoch": 3, "name": "run"})
    yield tensors("optimizer beside.pt", {"state_dict": state, "optimizer": {"state": {}, "lr": 0.1}})
    for prefix in ("module.", "model.", "_orig_mod.", "module._orig_mod."):
        yield tensors(f"prefix {prefix}pt", {f"{prefix}{name}": each for name, each in state.items()})
    yield safe("half.safetensors", floats(torch.float16), within=2e-2)
    yield tensors("bfloat16.pt", floats(torch.bfloat16), within=1e-1)
    yield tensors("double.pt", floats(torch.float64))
    yield tensors("on a view.pt", {name: each.expand(2, *each.shape)[1] for name, each in state.items()})
    yield tensors("old format λ.pt", state)
    yield OddCheckpoint(
        "not zipped.pt", lambda path: torch.save(state, path, _use_new_zipfile_serialization=False), read=True
    )
    yield raw("safetensors called pt.safetensors", save(state), read=True)
    # From here on: what must be refused.
    yield safe(
        "a tensor missing.safetensors", {name: each for name, each in state.items() if name != first}, read=False
    )
    yield safe(
        "a tensor of another shape.safetensors", {**state, first: state[first][..., :1].contiguous()}, read=False
    )
    yield tensors("numbers for tensors.pt", {**state, first: 3.0}, read=False)
    yield tensors("no mapping.pt", [*state.values()], read=False)
    yield tensors("empty mapping.pt", {}, read=False)
    yield safe("not a number.safetensors", {**state, first: state[first] * float("nan")}, read=False)
    yield safe("infinite.safetensors", {**state, first: state[first] + float("inf")}, read=False)
    packed = save(state)
    for part in (1, 9, len(packed) // 2, len(packed) - 1):
        yield raw(f"first {part} bytes.safetensors", packed[:part])
    file = io.BytesIO()
    torch.save(state, file)
    for part in (2, len(file.getvalue()) // 2):
        yield raw(f"first {part} bytes.pt", file.getvalue()[:part])
    yield raw("header too long.safetensors", (2**60).to_bytes(8, "little") + b"{}")
    yield raw("header is no JSON.safetensors", (4).to_bytes(8, "little") + b"\xff{{{")
    yield raw("empty.safetensors", b"")
    yield raw("empty.pt", b"")
    yield raw("page.bin", b"<!DOCTYPE html><html>404</html>")
    yield raw("pointer.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    yield raw("pickled path.pt", pickle.dumps(Path("x")))
    yield OddCheckpoint("other archive.pt", _write_archive, read=False)
    yield OddCheckpoint("a folder.safetensors", lambda path: path.mkdir(), read=False)


def _write_archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no weights")
