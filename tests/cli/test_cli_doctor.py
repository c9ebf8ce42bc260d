import sys
from pathlib import Path

import pytest

from ballad.cli import FAILED, main


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BALLAD_DATA", str(tmp_path))
    monkeypatch.setenv("BALLAD_HOME", str(tmp_path / "home"))


def test_what_is_not_there_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--quick"]) == 0
    lines = capsys.readouterr().out.splitlines()
    by_subject = {line[2:26].strip(): line for line in lines[:-1]}
    assert by_subject["demo"].startswith("✓") and by_subject["imagenet-lt"].startswith("–")
    expected = [line for line in lines if "RN50 on imagenet-lt" in line]
    assert ["should be 58.2 %" in expected[0], "should be 59.8 %" in expected[1]] == [True, True]
    assert lines[-1].startswith("Nothing is wrong")


def test_what_is_wrong_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "torchvision.ops", None)
    assert main(["doctor", "--quick"]) == FAILED
    assert "✗ torch" in capsys.readouterr().out
