"""A GPU made of host memory, for machines that have none.

A tensor on the device ``sim`` is a wrapper around a CPU tensor: it computes the CPU's numbers, and an operation on
tensors of two devices fails as it does on a GPU.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map_only

MAY_MIX_DEVICES = {
    "aten::copy_",
    "aten::_to_copy",
    "aten::index",
    "aten::index_put_",
    "aten::_index_put_impl_",
    "aten::_has_compatible_shallow_copy_type",
}
"""Copies, indices that lie on the CPU, and a question about two tensors' types."""


class _Backend:
    """What torch asks of a device's module."""

    def is_initialized(self) -> bool:
        return True

    def is_available(self) -> bool:
        return True

    def device_count(self) -> int:
        return 1

    def current_device(self) -> int:
        return 0

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        """No number is drawn on the device itself."""

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


backend_registration._setup_privateuseone_for_python_backend("sim", backend_module=_Backend())
SIMULATED = torch.device("sim:0")


class OnDevice(torch.Tensor):
    """A tensor that says it lies on ``sim:0``; ``held`` is the CPU tensor with its values."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> "OnDevice":
        wrapper = torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=SIMULATED,
        )
        wrapper.held = held
        return wrapper

    def __repr__(self) -> str:
        return f"OnDevice({self.held})"

    def tolist(self) -> Any:
        return self.held.tolist()

    @classmethod
    def __torch_dispatch__(cls, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(operation, args, kwargs or {})


class _Factories(TorchDispatchMode):
    """Sees the operations that make a tensor from none."""

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(operation, args, kwargs or {})


@contextmanager
def simulated_gpu() -> Iterator[torch.device]:
    """The device ``sim``, usable within the context."""
    make = torch.tensor

    def tensor(values: Any, *, device: Any = None, **how: Any) -> torch.Tensor:
        # torch.tensor does not show itself to a dispatch mode.
        made = make(values, **how)
        return made if device is None else made.to(device)

    # As on a GPU, a module's parameters stay the same objects when they move.
    kept = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        with mock.patch.object(torch, "tensor", tensor), _Factories():
            yield SIMULATED
    finally:
        torch.__future__.set_swap_module_params_on_conversion(kept)


def _computed(operation: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    on_device = any(isinstance(tensor, OnDevice) for tensor in tensors)
    asked_for = kwargs.get("device")
    stays = on_device if asked_for is None else torch.device(asked_for).type == SIMULATED.type
    if on_device:
        _refuse_mixing(operation, args, tensors)
    held_args, held_kwargs = tree_map_only(OnDevice, lambda tensor: tensor.held, (args, kwargs))
    if asked_for is not None:
        held_kwargs["device"] = torch.device("cpu")
    # A wrapper made in inference mode could not be a view of one that was not.
    with torch.inference_mode(False), torch.no_grad():
        result = operation(*held_args, **held_kwargs)
        if not stays:
            return result
        wrapped = tree_map_only(torch.Tensor, OnDevice, result)
        return return_and_correct_aliasing(operation, args, kwargs, wrapped) if on_device else wrapped


def _refuse_mixing(operation: Any, args: Any, tensors: list[torch.Tensor]) -> None:
    name = operation._schema.name
    if name.startswith("aten::index") and not isinstance(args[0], OnDevice):
        raise RuntimeError("a tensor on the CPU takes indices on the CPU only")
    # A number in a tensor of no dimension goes with every device.
    strangers = [tensor for tensor in tensors if not isinstance(tensor, OnDevice) and tensor.dim() > 0]
    if strangers and name not in MAY_MIX_DEVICES:
        raise RuntimeError(f"{name}: all tensors must lie on one device, found {SIMULATED} and the CPU")
