"""The types and shapes of a weights file's tensors, read from its table of contents: no weights, no foreign code."""

import io
import json
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST_HEADER = 100_000_000
"""Bytes of a table of contents that are read; safetensors' own limit."""
_LEGACY_PREAMBLE = 3
"""Pickles before the tensors in files of torch before 1.6: a mark, a version, the writer's system."""


@dataclass(frozen=True)
class TensorType:
    """``dtype`` as the format spells it: ``I8`` in safetensors, ``CharStorage`` in PyTorch's files."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def is_8_bit_matrix(self) -> bool:
        return self.dtype in ("I8", "U8", "CharStorage", "ByteStorage") and len(self.shape) > 1


def tensor_types(file: Path) -> list[TensorType]:
    """Those of a state dict, in a ``state_dict`` of a checkpoint or by itself; none where the file cannot be read."""
    try:
        return list(_of_safetensors(file) if file.suffix == ".safetensors" else _of_pytorch(file))
    except Exception:  # A damaged file, which is refused where it is loaded, can trip its readers in any way.
        return []


def _of_safetensors(file: Path) -> Iterator[TensorType]:
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(min(length, LONGEST_HEADER)))
    for name, tensor in header.items():
        if name != "__metadata__":
            yield TensorType(tensor["dtype"], tuple(tensor["shape"]))


def _of_pytorch(file: Path) -> Iterator[TensorType]:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            name = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
            content = _Inert(io.BytesIO(archive.open(name).read(LONGEST_HEADER))).load()
    else:
        with file.open("rb") as stream:
            for _ in range(_LEGACY_PREAMBLE):
                _Inert(stream).load()
            content = _Inert(stream).load()
    state = content.get("state_dict", content)
    yield from (each for each in state.values() if isinstance(each, TensorType))


class _Inert(pickle.Unpickler):
    """Reads the types of tensors, and mappings; anything else becomes an inert object, so no code of the file runs."""

    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case "torch._utils", "_rebuild_tensor_v2":
                return _tensor_type
            case "torch._utils", "_rebuild_parameter":
                return lambda tensor, *_: tensor
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch", _ if name.endswith("Storage"):
                return name
        return _Nothing

    def persistent_load(self, storage: Any) -> Any:
        """A storage's type, from ``("storage", type, …)``."""
        return storage[1]


def _tensor_type(storage: str, offset: int, shape: tuple[int, ...], *_: object) -> TensorType:
    return TensorType(storage, shape)


class _Nothing(dict):
    """Stands for an object of any class."""

    def __init__(self, *_: object) -> None:
        super().__init__()

    def __setstate__(self, state: object) -> None:
        pass
