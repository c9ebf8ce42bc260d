"""Which devices this machine has, found out without loading torch, and which requests each can serve."""

import os
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
    gpus = _count_gpus() if _torch_has_cuda() else 0
    return [f"cuda:{index}" for index in range(gpus)] or ["cpu"]


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
    raise RunError(f"This machine has no device '{request}'; set runtime.device to one of {known}.")


def _count_gpus() -> int:
    if shutil.which("nvidia-smi") is None:
        return 0
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=True)
    except (subprocess.SubprocessError, OSError):
        return 0
    present = sum(line.startswith("GPU ") for line in listing.stdout.splitlines())
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return present
    return min(present, sum(name.strip() not in ("", "-1") for name in visible.split(",")))


def _torch_has_cuda() -> bool:
    try:
        return not version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return False
