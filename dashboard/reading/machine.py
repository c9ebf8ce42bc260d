"""What this machine has and how busy it is, found out without loading torch."""

import shutil
import subprocess
from dataclasses import dataclass

import psutil
import streamlit as st

from ballad.home import default_home
from ballad.work.devices import list_devices, visible_gpus

# The first answer would be 0: it tells how busy the processor was since the question before.
psutil.cpu_percent()


@dataclass(frozen=True)
class Device:
    """A device that runs can use; memory in bytes, ``utilisation`` in percent."""

    name: str
    title: str
    utilisation: float
    memory_used: float
    memory_total: float


@st.cache_data(ttl=5, show_spinner=False)
def devices() -> list[Device]:
    """The GPUs that runs can use, or the CPU where there is none."""
    if list_devices() == ["cpu"]:
        memory = psutil.virtual_memory()
        cores = psutil.cpu_count(logical=True)
        return [
            Device("cpu", f"CPU, {cores} cores", psutil.cpu_percent(), memory.total - memory.available, memory.total)
        ]
    return [_gpu(name) for name in list_devices()]


def free_disk() -> int:
    """Free bytes on the disk that holds the runs."""
    home = default_home()
    while not home.exists():
        home = home.parent
    return shutil.disk_usage(home).free


def _gpu(name: str) -> Device:
    fields = "name,utilization.gpu,memory.used,memory.total"
    gpu = visible_gpus()[int(name.removeprefix("cuda:"))]
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits", "-i", gpu]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
        title, busy, used, total = answer.strip().split(", ")
        return Device(name, title, float(busy), float(used) * 2**20, float(total) * 2**20)
    except (subprocess.SubprocessError, OSError, ValueError):
        return Device(name, "GPU", float("nan"), float("nan"), float("nan"))
