import csv
import io
import json
from pathlib import Path

import pytest

from ballad.cli import BAD_INPUT, main
from ballad.store.run_store import RunStore


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    monkeypatch.setenv("BALLAD_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return RunStore(tmp_path)


def test_ablate_prints_a_table_and_its_records_last(
    store: RunStore, tiny_images: Path, tiny_backbone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--dataset", str(tiny_images), "--backbone", str(tiny_backbone), "--recipe", "released_code"]
    words += ["--budget", "tiny", "--set", "phase_b.epochs=3", "--set", "phase_a.batch_size=16"]
    assert main(["ablate", "table6", *words, "--json"]) == 0
    output = capsys.readouterr().out
    records = json.loads(output.splitlines()[-1])
    assert [record["setting"] for record in records] == ["image", "text", "both"]
    assert {(record["recipe"], record["budget"], record["seeds"]) for record in records} == {
        ("released_code", "tiny", 1)
    }
    assert 0 <= records[0]["all"]["mean"] <= 100 and records[0]["all"]["sd"] is None
    assert "Table 6: where the adapter sits" in output and "points above 'image'" in output
    experiments = [store.get(run_id).experiment for run_id in _all_runs(store)]
    # The budget cuts what the options do not set.
    assert {(each.phase_a.epochs, each.phase_b.epochs) for each in experiments} == {(2, 3)}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--dataset", "no/such/folder"], "There is no folder or table 'no/such/folder'"),
        (["--seeds", "0"], "seeds = 0"),
        (["--device", "cuda:99"], "no device 'cuda:99'"),
    ],
)
def test_what_would_stop_every_run_is_said_before_any_is_queued(
    store: RunStore,
    tiny_images: Path,
    tiny_backbone: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    sentence: str,
) -> None:
    tiny = ["--dataset", str(tiny_images), "--backbone", str(tiny_backbone)]
    assert main(["ablate", "all", *tiny, *words]) == BAD_INPUT
    assert sentence in capsys.readouterr().err
    assert _all_runs(store) == []


def test_an_unknown_table_is_refused(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ablate", "table11"]) == BAD_INPUT
    assert "invalid choice: 'table11'" in capsys.readouterr().err


def test_paper_prints_csv(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paper", "--table", "table1", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    of_rn50 = next(row for row in rows if row["backbone"] == "RN50" and row["setting"] == "BALLAD")
    assert (of_rn50["dataset"], of_rn50["few"], of_rn50["all"]) == ("ImageNet-LT", "59.5", "67.2")


def test_paper_shows_what_to_know_before_comparing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["paper", "--table", "table7"]) == 0
    output = capsys.readouterr().out
    assert "62.6" in output and "61.6 in Table 4" in output


def test_paper_names_the_tables_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paper", "--table", "table12"]) == BAD_INPUT
    assert "no numbers for 'table12'" in capsys.readouterr().err


def _all_runs(store: RunStore) -> list[str]:
    return [row["id"] for row in store.database.read("SELECT id FROM runs ORDER BY id")]
