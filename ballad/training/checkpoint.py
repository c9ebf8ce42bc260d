"""Training checkpoints: tensors and a small JSON state in one safetensors file, written whole or not at all."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ballad.whole_files import write_whole


class DamagedCheckpoint(Exception):
    """A file that is not a complete checkpoint."""


@dataclass(frozen=True)
class Checkpoint:
    """Named tensors and plain values."""

    tensors: dict[str, Tensor]
    state: dict[str, Any]

    def save(self, path: Path) -> None:
        """A crash leaves the old file or the new one."""
        contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in self.tensors.items()}
        metadata = {"state": json.dumps(self.state)}
        write_whole(path, partial(save_file, contiguous, metadata=metadata))

    @classmethod
    def load(cls, path: Path) -> "Checkpoint":
        """What :meth:`save` wrote. Raises DamagedCheckpoint."""
        try:
            with safe_open(path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
                return cls(tensors, json.loads(file.metadata()["state"]))
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise DamagedCheckpoint(str(path)) from error
