import json

import pytest

from ballad.cli import BAD_INPUT, main


@pytest.fixture
def tiny(tiny_images, tiny_backbone, tmp_path, monkeypatch) -> list[str]:
    """The options of a tiny run, kept in a home of its own."""
    monkeypatch.setenv("BALLAD_HOME", str(tmp_path / "home"))
    options = ["--dataset", str(tiny_images), "--backbone", str(tiny_backbone)]
    for setting in ("phase_a.epochs=1", "phase_a.batch_size=16", "phase_b.epochs=1", "phase_b.learning_rate=0.05"):
        options += ["--set", setting]
    return options


def test_run_prints_its_contract_and_later_commands_know_the_run(tiny, tiny_images, capsys):
    assert main(["run", *tiny, "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(result) == {"run", "key", "seconds", "zero_shot", "phase_a", "ballad"}
    assert set(result["seconds"]) >= {"phase_a", "phase_b"}
    assert result["ballad"]["many"] is None and isinstance(result["ballad"]["all"], float)

    assert main(["evaluate", result["run"]]) == 0
    shown = capsys.readouterr().out
    assert f"{result['ballad']['all']:.1f}" in shown and "macro F1" in shown
    assert main(["evaluate", result["run"], "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["ballad"]
    assert {group: figures[group] for group in result["ballad"]} == result["ballad"]
    assert figures["images"] == 16 and f"{figures['macro_f1']:.1f}" in shown

    picture = next((tiny_images / "test" / "green").iterdir())
    assert main(["predict", result["run"], str(picture)]) == 0
    assert "Phase A" in capsys.readouterr().out
    assert main(["predict", result["run"], str(picture), "--json", "--top", "4"]) == 0
    classes, probabilities = zip(*json.loads(capsys.readouterr().out)[str(picture)]["ballad"], strict=True)
    assert sorted(classes) == ["blue", "green", "grey", "red"] and sum(probabilities) == pytest.approx(1, abs=1e-5)
    assert main(["predict", result["run"], str(picture), "--device", "foo"]) == BAD_INPUT
    assert capsys.readouterr().err.startswith("There is no device 'foo'")

    assert main(["stages"]) == 0
    assert result["run"] in capsys.readouterr().out


def test_settings_come_from_file_options_and_set_in_this_order(tiny, tmp_path, capsys):
    config = tmp_path / "settings.yaml"
    config.write_text("schedule: zero_shot\nseed: 1\nname: from the file\n")
    assert main(["run", *tiny, "--config", str(config), "--seed", "2", "--set", "seed=3", "--json"]) == 0
    run = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(run) == {"run", "key", "seconds", "zero_shot"}
    assert main(["show", run["run"]]) == 0
    shown = capsys.readouterr().out
    assert "from the file" in shown and "seed" in shown


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--set", "phase_b.residual_factor=2"], "phase_b.residual_factor = 2"),
        (["--set", "phase_b.residual_factor"], "--set takes FIELD=VALUE"),
        (["--dataset", "no/such/folder"], "no/such/folder"),
        (["--backbone", "no-such-model"], "no-such-model"),
        (["--device", "cuda:99"], "cuda:99"),
        (["--config", "no-such-file.yaml"], "no-such-file.yaml"),
    ],
)
def test_bad_input_is_a_sentence_on_stderr_and_code_2(tiny, options, sentence, capsys):
    assert main(["run", *tiny, *options]) == 2
    printed = capsys.readouterr()
    assert sentence in printed.err and "Traceback" not in printed.err


def test_a_run_that_does_not_exist_is_named(tiny, capsys):
    assert main(["evaluate", "nothing"]) == 2
    assert "no finished run 'nothing'" in capsys.readouterr().err


def test_prune_removes_only_what_no_run_needs(tiny, tmp_path, capsys):
    assert main(["run", *tiny, "--json"]) == 0
    capsys.readouterr()
    assert main(["prune", "--yes"]) == 0
    assert "nothing to remove" in capsys.readouterr().out
    orphan = tmp_path / "home" / "stages" / "adapter" / "0123456789abcdef.partial"
    orphan.mkdir(parents=True)
    assert main(["prune", "--yes"]) == 0
    assert "0123456789abcdef" in capsys.readouterr().out
    assert not orphan.exists()


def test_a_failure_is_a_json_object_where_json_was_asked_for(tiny, capsys):
    commands = (
        ["run", "--set", "seed=x"],
        ["run", "--sed", "x"],
        ["run", "--dataset", "nowhere"],
        ["ablate", "table7", "--dataset", "nowhere"],
        ["ablate", "table11"],
        ["sweep"],
        ["sweep", "--grid", "seed=x"],
        ["leaderboard", "--methods", "none"],
        ["check", "nowhere"],
        ["list", "--limit", "many"],
        *([command, "nothing"] for command in ("show", "evaluate")),
        ["predict", "nothing", "picture.jpg"],
    )
    for command in commands:
        assert main([*command, "--json"]) == 2
        told = capsys.readouterr()
        failure = json.loads(told.out)
        assert (
            failure["code"] == 2
            and "usage" not in failure["error"]
            and failure["error"] == told.err.strip().splitlines()[-1]
        )


def test_words_of_another_encoding_are_named(tiny, capsys):
    assert main(["show", "caf\udce9"]) == 2
    assert "'caf\\udce9' is not UTF-8" in capsys.readouterr().err


def test_a_folder_is_no_picture_to_predict(tmp_path, capsys):
    assert main(["predict", "anyrun", str(tmp_path)]) == 2
    assert f"{tmp_path} is a folder" in capsys.readouterr().err
