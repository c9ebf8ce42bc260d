import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ballad.errors import RunError
from ballad.work.devices import device_for, list_devices, requests_served, visible_gpus
from dashboard.reading import machine

TWO_GPUS = ["cuda:0", "cuda:1"]


@pytest.mark.parametrize(
    ("request_", "devices", "device"),
    [
        ("auto", ["cpu"], "cpu"),
        ("cpu", ["cpu"], "cpu"),
        ("auto", TWO_GPUS, "cuda:0"),
        ("cuda", TWO_GPUS, "cuda:0"),
        ("cuda:1", TWO_GPUS, "cuda:1"),
        ("cpu", TWO_GPUS, "cpu"),
    ],
)
def test_request_goes_to_the_first_device_that_serves_it(request_: str, devices: list[str], device: str) -> None:
    assert device_for(request_, devices) == device


@pytest.mark.parametrize(("request_", "devices"), [("cuda", ["cpu"]), ("cuda:2", TWO_GPUS), ("tpu", TWO_GPUS)])
def test_device_that_is_not_there_is_named(request_: str, devices: list[str]) -> None:
    with pytest.raises(RunError, match=f"no device '{request_}'"):
        device_for(request_, devices)


def test_processor_beside_gpus_serves_only_those_who_ask_for_it() -> None:
    assert requests_served("cpu", TWO_GPUS) == ["cpu"]
    assert requests_served("cpu", ["cpu"]) == ["auto", "cpu"]


@pytest.mark.parametrize(
    ("visible", "devices"), [(None, TWO_GPUS), ("1", ["cuda:0"]), ("", ["cpu"]), ("-1", ["cpu"]), ("0,1,2", TWO_GPUS)]
)
def test_gpus_are_counted_as_far_as_they_are_visible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str | None, devices: list[str]
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'GPU 0: NVIDIA H200 (UUID: GPU-a)'\necho '  MIG 1g'\necho 'GPU 1: NVIDIA H200'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("ballad.work.devices.version", lambda package: "2.14.1")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    forget_devices()
    assert list_devices() == devices
    monkeypatch.setattr("ballad.work.devices.version", lambda package: "2.14.1+cpu")
    forget_devices()
    assert list_devices() == ["cpu"]
    forget_devices()


def forget_devices() -> None:
    list_devices.cache_clear()
    visible_gpus.cache_clear()


@pytest.fixture
def three_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose nvidia-smi answers for each GPU with a load and a memory of its own: 10 %, 100 MiB used, …"""
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = -L ]; then\n'
        '  for gpu in 0 1 2; do echo "GPU $gpu: NVIDIA H100 (UUID: GPU-${gpu}a-b)"; done\n'
        "else\n"
        '  shift 3; echo "H100 number $1, $(($1 + 1))0, $(($1 + 1))00, 1000"\n'
        "fi\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("ballad.work.devices.version", lambda package: "2.14.1")
    forget_devices()
    yield
    forget_devices()


@pytest.mark.parametrize(
    ("visible", "gpus"),
    [
        (None, ["0", "1", "2"]),
        ("2,0", ["2", "0"]),
        ("GPU-1,GPU-2a-b", ["1", "2"]),
        ("1,7,0", ["1"]),
        ("MIG-5", ["MIG-5"]),
    ],
)
def test_devices_are_asked_for_under_the_name_that_the_driver_knows(
    monkeypatch: pytest.MonkeyPatch, three_gpus: None, visible: str | None, gpus: list[str]
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert visible_gpus() == gpus


def test_load_and_memory_are_those_of_the_gpu_that_runs_use(monkeypatch: pytest.MonkeyPatch, three_gpus: None) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,0")
    machine.devices.clear()
    shown = [
        (device.name, device.title, device.utilisation, device.memory_used / 2**20) for device in machine.devices()
    ]
    machine.devices.clear()
    assert shown == [("cuda:0", "H100 number 2", 30.0, 300.0), ("cuda:1", "H100 number 0", 10.0, 100.0)]
