import os
from pathlib import Path

import pytest

from ballad.errors import RunError
from ballad.work.devices import device_for, list_devices, requests_served

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
    list_devices.cache_clear()
    assert list_devices() == devices
    monkeypatch.setattr("ballad.work.devices.version", lambda package: "2.14.1+cpu")
    list_devices.cache_clear()
    assert list_devices() == ["cpu"]
    list_devices.cache_clear()
