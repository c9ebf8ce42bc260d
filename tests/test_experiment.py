import itertools
import json

import pytest
import yaml

from ballad.assignments import assignments, grid
from ballad.errors import LONGEST_SENTENCE, SettingsError
from ballad.experiment import Experiment, parse_value, setting_names, short_names

CHANGED = {
    "dataset.source": "images",
    "prompts.kind": "ensemble",
    "phase_a.learning_rate": 3e-4,
    "phase_b.residual_factor": 0.35,
    "phase_b.seed": 4,
}


def test_defaults_are_the_papers():
    experiment = Experiment()
    assert (experiment.phase_a.epochs, experiment.phase_b.epochs) == (50, 10)
    assert (experiment.phase_a.learning_rate, experiment.phase_b.learning_rate) == (1e-5, 0.2)
    assert (experiment.phase_a.sampler, experiment.phase_b.sampler) == ("instance", "class_balanced")
    assert experiment.phase_a.batch_size == experiment.phase_b.batch_size == 512
    assert (experiment.optimizer.momentum, experiment.optimizer.weight_decay) == (0.9, 5e-4)
    assert (experiment.phase_b.residual_factor, experiment.phase_b.activation, experiment.phase_b.bias) == (
        0.2,
        "relu",
        True,
    )


def test_round_trips():
    experiment = Experiment().with_values(CHANGED)
    assert Experiment.parse(json.loads(experiment.to_json())) == experiment
    assert Experiment.parse(yaml.safe_load(experiment.to_yaml())) == experiment


def test_a_file_that_was_written_is_read(tmp_path):
    experiment = Experiment().with_values({"notes": "\x7f \x85 \ufffe \u2028 😀 \t\n", "phase_a.learning_rate": 1e-7})
    for text in (experiment.to_json(), experiment.to_yaml()):
        (tmp_path / "settings").write_text(text, encoding="utf-8")
        assert Experiment.read(tmp_path / "settings") == experiment


def test_a_file_of_some_settings_leaves_the_rest_alone(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("phase_b: {residual_factor: 0.4}\nseed: 3\n")
    assert Experiment.read(path) == Experiment().with_values({"phase_b.residual_factor": 0.4, "seed": 3})


def test_the_key_is_the_same_in_every_process_and_release():
    # A new default or field that changes it makes every stored result a stranger: change it knowingly.
    assert Experiment().key == "185f395e532ffcc7"


@pytest.mark.parametrize(
    "change",
    [{"name": "x"}, {"notes": "y"}, {"runtime.workers": 3}, {"runtime.device": "cpu"}, {"phase_a.micro_batch": 8}],
)
def test_what_cannot_change_a_number_does_not_change_the_key(change):
    assert Experiment().with_values(change).key == Experiment().key


@pytest.mark.parametrize("change", [{"seed": 1}, {"phase_b.residual_factor": 0.3}, {"prompts.kind": "ensemble"}])
def test_what_can_change_a_number_changes_the_key(change):
    assert Experiment().with_values(change).key != Experiment().key


def test_phases_that_do_not_run_do_not_count():
    zero_shot = Experiment(schedule="zero_shot")
    assert zero_shot.with_values({"phase_a.epochs": 3, "phase_b.epochs": 3}).key == zero_shot.key
    finetuned = Experiment(schedule="finetune")
    assert finetuned.with_values({"phase_b.epochs": 3}).key == finetuned.key
    assert finetuned.with_values({"phase_a.epochs": 3}).key != finetuned.key


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"phase_b.residual_factor": 1.5}, "phase_b.residual_factor = 1.5: should be less than or equal to 1."),
        ({"schedule": "both"}, "schedule = 'both': should be one of decoupled, joint, finetune"),
        ({"phase_a.epochs": "many"}, "phase_a.epochs = 'many': should be a valid integer"),
        ({"phase_b.residual": 0.1}, "There is no setting 'phase_b.residual'. Did you mean phase_b.residual_factor"),
        ({"prompts.kind": "custom"}, "prompts: kind 'custom' needs at least one template"),
        ({"prompts.templates": ["a {}"]}, "prompts: templates are given with kind 'custom'"),
        ({"phase_a.batch_size": 0}, "phase_a.batch_size = 0: should be greater than or equal to 1."),
        ({"phase_b.batch_size": 0}, "phase_b.batch_size = 0: should be greater than or equal to 1."),
        ({"seed": -1}, "seed = -1: should be greater than or equal to 0."),
        ({"phase_b.seed": 10**20}, "phase_b.seed = 100000000000000000000: should be less than 4294967296."),
        ({"prompts.kind": "custom", "prompts.templates": ["a photo"]}, "needs exactly one {} for the class name"),
        ({"phase_b.method": ["crt"]}, "phase_b.method = ['crt']"),
        ({"phase_b.options": None, "phase_b.options.tau": 1}, "phase_b.options = None"),
    ],
)
def test_a_bad_value_ends_in_a_sentence(change, sentence):
    with pytest.raises(SettingsError) as error:
        Experiment().with_values(change)
    assert sentence in str(error.value)


def test_batches_of_one_image_are_allowed():
    ones = Experiment().with_values({"phase_a.batch_size": 1, "phase_b.batch_size": 1})
    assert ones.phase_a.batch_size == ones.phase_b.batch_size == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[1, 2]", "must hold a mapping"),
        ("a: [", "neither YAML nor JSON"),
        ("name: 2024-02-30", "day is out of range"),
        ("seed: " + "9" * 5000, "cannot be read"),
        ("notes: " + "a" * 1_000_000, "too long"),
        (None, "cannot be read"),
    ],
)
def test_a_bad_settings_file_is_named(tmp_path, text, sentence):
    path = tmp_path / "settings.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError) as error:
        Experiment.read(path)
    assert str(path) in str(error.value) and sentence in str(error.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.3", 0.3), ("1e-5", 1e-5), ("2E+3", 2000.0), ("true", True), ("null", None), ("relu", "relu"), ("7", 7)],
)
def test_shell_words_become_values(text, value):
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


@pytest.mark.parametrize("word", [".inf", "-.inf", ".nan", "1e400", "-1e400", "Infinity", "nan"])
@pytest.mark.parametrize(
    "name", ["phase_a.learning_rate", "dataset.imbalance_ratio", "optimizer.momentum", "phase_a.epochs"]
)
def test_numbers_that_are_not_finite_are_refused_by_name(tmp_path, name, word):
    section, field = name.split(".")
    for suffix, text in (
        (".yaml", f"{section}:\n  {field}: {word}\n"),
        (".json", f'{{"{section}": {{"{field}": {word}}}}}'),
    ):
        path = tmp_path / f"settings{suffix}"
        path.write_text(text)
        with pytest.raises(SettingsError, match=name):
            Experiment.read(path)
    with pytest.raises(SettingsError, match=name):
        Experiment().with_values(assignments([f"{name}={word}"]))
    with pytest.raises(SettingsError, match=name):
        Experiment().with_values({name: grid([f"{name}={word}"])[name][0]})


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("name=2024", "2024"),
        ("notes=1e3", "1e3"),
        ("budget=true", "true"),
        ("name=2024-01-01", "2024-01-01"),
        ("name=null", "null"),
        ("notes=[1, 2]", "[1, 2]"),
        ("dataset.source=007", "007"),
        ("backbone.pretrained=400", "400"),
        ("backbone.pretrained=null", None),
        ('name="2024"', "2024"),
        ("seed=2024", 2024),
        ("name=2024-02-30", "2024-02-30"),
    ],
)
def test_texts_that_look_like_values_stay_texts(word, value):
    name = word.partition("=")[0]
    assert assignments([word]) == {name: value}
    Experiment().with_values({name: value})


def test_a_grid_has_all_values_that_are_named():
    assert grid(["name=2024,v2"]) == {"name": ["2024", "v2"]}
    assert grid(["seed=0", "phase_b.residual_factor=0.1,0.2", "seed=1,2"]) == {
        "seed": [0, 1, 2],
        "phase_b.residual_factor": [0.1, 0.2],
    }


def test_settings_of_one_name_are_told_apart_by_their_phase():
    names = ["phase_a.sampler", "phase_b.sampler", "phase_b.residual_factor", "seed"]
    assert list(short_names(names).values()) == ["phase_a.sampler", "phase_b.sampler", "residual_factor", "seed"]


def test_every_name_can_be_set():
    assert {"seed", "phase_b.residual_factor", "runtime.device"} <= set(setting_names())
    defaults = Experiment().model_dump(mode="json")
    for name in setting_names():
        section, _, field = name.rpartition(".")
        value = defaults[section][field] if section else defaults[field]
        assert Experiment().with_values({name: value}) == Experiment()


@pytest.mark.parametrize("nested", ["[" * 1000 + "]" * 1000, '{"a": ' * 1000 + "1" + "}" * 1000])
def test_deep_nesting_is_refused_with_a_sentence(tmp_path, nested):
    with pytest.raises(SettingsError, match="nested too deeply"):
        parse_value(nested)
    (tmp_path / "deep.yaml").write_text(f"name: {nested}")
    with pytest.raises(SettingsError, match="nested too deeply"):
        Experiment.read(tmp_path / "deep.yaml")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("name: café".encode("latin-1"), "not UTF-8"), (b"name: a\x00b", "neither YAML nor JSON")],
)
def test_a_file_of_other_bytes_is_named(tmp_path, content, sentence):
    (tmp_path / "settings.yaml").write_bytes(content)
    with pytest.raises(SettingsError, match=sentence) as raised:
        Experiment.read(tmp_path / "settings.yaml")
    assert "settings.yaml" in str(raised.value) and "\n" not in str(raised.value)


def test_few_lines_of_anchors_that_stand_for_a_billion_values_are_refused_at_once(tmp_path):
    levels = [f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in itertools.pairwise("abcdefghij")]
    (tmp_path / "anchors.yaml").write_text("\n".join(["a: &a [x, x]", *levels, "name: *j"]))
    with pytest.raises(SettingsError, match="name") as raised:
        Experiment.read(tmp_path / "anchors.yaml")
    assert len(str(raised.value)) <= LONGEST_SENTENCE


def test_bytes_of_another_encoding_are_refused_before_they_are_stored():
    with pytest.raises(SettingsError, match="UTF-8"):
        Experiment().with_values({"dataset.source": "caf\udce9"})


def test_sentences_are_short_and_printable():
    told = str(SettingsError("There is no '" + "\x1b[31m\udcff\n" + "x" * 5000 + "'; do that."))
    assert len(told) == LONGEST_SENTENCE and told.endswith("'; do that.")
    assert told.startswith(r"There is no '\x1b[31m\udcff\nx")
