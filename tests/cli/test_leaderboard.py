import json
from pathlib import Path

import pytest

from ballad.cli import BAD_INPUT, main


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BALLAD_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")


def test_the_table_its_grids_the_recommendation_and_one_object_last(
    tiny_images: Path, tiny_backbone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--dataset", str(tiny_images), "--backbone", str(tiny_backbone), "--set", "phase_b.epochs=2"]
    methods = ["--methods", "ballad", "nearest_class_mean", "zero_shot_adjusted"]
    assert main(["leaderboard", *words, *methods, "--seeds", "2", "--json"]) == 0
    output = capsys.readouterr().out
    told = json.loads(output.splitlines()[-1])
    rows = {row["name"]: row for row in told["rows"]}
    assert list(rows) == ["zero_shot", "ballad", "nearest_class_mean", "zero_shot_adjusted"]
    assert [row["seeds"] for row in rows.values()] == [1, 2, 1, 1]
    assert len(rows["ballad"]["chosen"]) == 2 and rows["ballad"]["against_baseline"] == {}
    assert rows["nearest_class_mean"]["parameters"] == 0 < rows["ballad"]["parameters"]
    gap = rows["zero_shot"]["against_baseline"]["all"]["difference"]
    assert gap == pytest.approx(rows["zero_shot"]["all"]["mean"] - rows["ballad"]["all"]["mean"])
    assert told["recommendation"] in output and "residual_factor 0.1, 0.2, 0.3, 0.5" in output


def test_an_unknown_method_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leaderboard", "--methods", "balad"]) == BAD_INPUT
    assert "There is no method balad to compare" in capsys.readouterr().err
