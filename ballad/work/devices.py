"""Which devices this machine has, determined without loading torch, and which requests each can serve."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from ballad.errors import RunError


@cache
def list_devices() -> list[str]:
    """``["cuda:0", …]``, or ``["cpu"]`` where there is no GPU that the installed torch could use.

    Respects ``CUDA_VISIBLE_DEVICES``.
    """
    return [f"cuda:{index}" for index in range(len(visible_gpus()))] or ["cpu"]


def requests_served(device: str, devices: Sequence[str]) -> list[str]:
    """The values of ``runtime.device`` that ``device`` can serve on a machine with ``devices``.

    ``auto`` means a GPU where there is one.
    """
    if device == "cpu":
        return ["cpu"] if any(other != "cpu" for other in devices) else ["auto", "cpu"]
    return ["auto", "cuda", device]


def device_for(request: str, devices: Sequence[str]) -> str:
    """The first device that serves the request; RunError if the machine has none."""
    for device in [*devices, "cpu"]:
        if request in requests_served(device, devices):
            return device
    known = ", ".join(dict.fromkeys(["auto", "cpu", *devices]))
    raise RunError(f"This machine has no device '{request}'; choose one of {known}.")


@cache
def visible_gpus() -> list[str]:
    """What ``nvidia-smi -i`` calls each of the GPUs that torch can use: entry N is ``cuda:N``.

    Where GPUs differ, only under ``CUDA_DEVICE_ORDER=PCI_BUS_ID``: CUDA's own order begins with the fastest.
    """
    present = _present_gpus() if _torch_has_cuda() else {}
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return list(present)
    gpus: list[str] = []
    for name in (name.strip() for name in visible.split(",")):
        found = [
            gpu for gpu, uuid in present.items() if name == gpu or (name.startswith("GPU-") and uuid.startswith(name))
        ]
        if present and name.startswith("MIG-"):
            found = [name]
        if not found:
            break  # CUDA, too, sees none of those that follow one that it does not know.
        gpus += found
    return gpus


def _present_gpus() -> dict[str, str]:
    """The UUIDs of this machine's GPUs by their numbers, in the order of the PCI bus."""
    if shutil.which("nvidia-smi") is None:
        return {}
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=True)
    except (subprocess.SubprocessError, OSError):
        return {}
    # GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-5a1c…)
    return dict(re.findall(r"^GPU (\d+):.*?(?:\(UUID: (.*)\))?$", listing.stdout, re.MULTILINE))


def _torch_has_cuda() -> bool:
    try:
        return not version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return False
