"""Form entries to experiments and back, and the shell command that does the same."""

import shlex
import subprocess
import sys

import pandas as pd
import pytest

from ballad.assignments import grid
from ballad.cli import _parser
from ballad.cli.settings import experiment_from
from ballad.errors import SettingsError
from ballad.experiment import Experiment, setting_names
from ballad.paper.presets import PRESETS
from ballad.paper.recipes import RECIPES
from ballad.stages.plan import Plan
from dashboard.forms.applicability import reasons
from dashboard.forms.command import assigned_words, experiment_of_words, shell_command
from dashboard.forms.cost import expected_time, speed_on, training_memory
from dashboard.forms.draft import (
    balancing_of,
    default_experiment,
    request_of,
    values_of,
    with_balancing,
    with_dataset_and_backbone,
)
from dashboard.forms.lambda_grid import sweep_of
from dashboard.forms.lists import listed, parse_factors, parse_seeds
from dashboard.settings.fields import EXECUTOR, FIELDS, SEEDS

EXPERIMENTS = {
    "demo": default_experiment(),
    "paper": default_experiment("imagenet-lt", "RN50"),
    "released code": default_experiment("imagenet-lt", "ViT-B/16").with_values(RECIPES["released_code"]),
    "custom prompts": Experiment().with_values(
        {"prompts.kind": "custom", "prompts.templates": ["a photo of a {}.", 'it\'s a {}: "yes"']}
    ),
    "words that look like values": Experiment(name="-1", notes="true\nλ = 0.2: 'a' \"b\"", budget="null"),
    "small numbers": Experiment().with_values({"phase_a.learning_rate": 1e-5, "optimizer.weight_decay": 3e-7}),
    "folder": Experiment().with_values({"dataset.source": "/data/my images", "backbone.pretrained": "a b.safetensors"}),
    "joint": Experiment().with_values({"schedule": "joint", "phase_b.residual_factor": 0.35, "seed": 7}),
    "zero-shot": default_experiment("cifar100-lt", "RN50").with_values({"schedule": "zero_shot", "seed": 3}),
    "adapter seed": Experiment().with_values({"phase_b.seed": 0, "runtime.device": "cuda:1", "phase_b.bias": False}),
}
experiments = pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=EXPERIMENTS)


def parsed(command: str):
    words = shlex.split(command.replace("\\\n", ""))
    assert words[:3] == ["python", "-m", "ballad"]
    return _parser().parse_args(words[3:])


def test_every_setting_has_an_entry():
    of_methods = {path for path in FIELDS if path.startswith("phase_b.options.")}
    assert set(FIELDS) - {SEEDS, EXECUTOR} - of_methods == set(setting_names()) - {"seed", "phase_b.options"}


@experiments
def test_entries_ask_for_the_experiment_they_came_from(experiment):
    shown = {path: FIELDS[path].shown(value) for path, value in values_of(experiment).items()}
    values = {path: FIELDS[path].value(entry) for path, entry in shown.items()}
    assert request_of(values).experiment == experiment


@experiments
def test_the_shell_command_parses_back_to_the_same_experiment(experiment):
    read = experiment_from(parsed(shell_command(experiment, [experiment.seed])))
    assert read.key == experiment.key
    assert (read.name, read.notes, read.budget, read.runtime) == (
        experiment.name,
        experiment.notes,
        experiment.budget,
        experiment.runtime,
    )


@experiments
def test_a_link_leads_back_to_the_same_experiment(experiment):
    assert experiment_of_words(assigned_words(experiment)).key == experiment.key


def test_the_command_names_only_what_differs():
    experiment = default_experiment("cifar100-lt", "RN50").with_values({"phase_b.residual_factor": 0.3, "seed": 2})
    assert " ".join(shell_command(experiment, [2]).replace("\\\n", "").split()) == (
        "python -m ballad run --dataset=cifar100-lt --backbone=RN50 --seed=2 --set phase_b.residual_factor=0.3"
    )


def test_settings_of_a_phase_that_does_not_run_are_not_named():
    experiment = Experiment().with_values({"schedule": "finetune", "phase_b.residual_factor": 0.9})
    assert "phase_b" not in shell_command(experiment, [0])


def test_several_seeds_become_a_sweep():
    options = parsed(shell_command(Experiment(name="a b"), [0, 3, 4]))
    assert options.command.__name__ == "_sweep" and grid(options.grid) == {"seed": [0, 3, 4]}
    assert experiment_from(options).name == "a b"


def test_seeds_of_a_form_become_experiments():
    request = request_of({**values_of(Experiment()), SEEDS: "4, 6-7"})
    assert [experiment.seed for experiment in request.experiments] == [4, 6, 7]
    assert len({experiment.key for experiment in request.experiments}) == 3


def test_templates_left_over_from_own_prompts_do_not_count():
    values = {**values_of(Experiment()), "prompts.templates": ("a {}",)}
    assert request_of(values).experiment.prompts.templates == ()


def test_a_wrong_entry_is_named():
    with pytest.raises(SettingsError, match=r"phase_a\.epochs"):
        request_of({**values_of(Experiment()), "phase_a.epochs": None})
    with pytest.raises(SettingsError, match="'x' is not a whole number"):
        request_of({**values_of(Experiment()), SEEDS: "0, x"})


@pytest.mark.parametrize(
    ("text", "seeds"), [("0", [0]), ("2, 0; 2", [2, 0]), ("0-3, 9", [0, 1, 2, 3, 9]), (listed([5, 1]), [5, 1])]
)
def test_seeds_as_typed(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("seed", [999_999, 1_000_000, 20_240_101, 2**32 - 1])
def test_large_seeds_keep_all_their_digits(seed):
    values = values_of(Experiment(seed=seed))
    assert values[SEEDS] == str(seed)
    assert request_of(values).seeds == [seed]


def test_numbers_are_listed_as_they_are_read_back():
    factors = [0.0, 0.05, 0.123456789, 1.0]
    assert listed(factors) == "0, 0.05, 0.123456789, 1"
    assert parse_factors(listed(factors)) == factors


@pytest.mark.parametrize("text", ["", "-1", "1.5", "4-2", "0-1000"])
def test_seeds_that_are_none(text):
    with pytest.raises(SettingsError, match="Seeds"):
        parse_seeds(text)


def test_factors_as_typed():
    assert parse_factors("0.5, 0, .25, 0.5") == [0.0, 0.25, 0.5]
    for wrong in ("", "a", "1.2", "nan"):
        with pytest.raises(SettingsError, match="λ"):
            parse_factors(wrong)


@pytest.mark.parametrize("balancing", ["none", "A", "B", "A+B"])
def test_balancing_sets_and_reads_both_samplers(balancing):
    row = next(row for row in PRESETS["table7"].rows(default_experiment()) if row.setting.replace(" ", "") == balancing)
    values = with_balancing(values_of(default_experiment()), balancing)
    assert balancing_of(values) == balancing
    assert request_of(values).experiment.key == row.experiment.key


def test_balancing_keeps_the_chosen_sampler():
    values = {**values_of(Experiment()), "phase_b.sampler": "square_root"}
    assert with_balancing(values, "A")["phase_a.sampler"] == "square_root"


def test_untouched_settings_follow_the_dataset():
    values = {**values_of(default_experiment()), "phase_a.batch_size": 64}
    moved = with_dataset_and_backbone(values, "cifar100-lt", "RN50")
    assert (moved["phase_a.epochs"], moved["phase_a.learning_rate"], moved["phase_a.batch_size"]) == (50, 1e-5, 64)
    back = with_dataset_and_backbone(moved, "demo", "demo")
    assert back == values


def test_what_does_not_apply_has_a_reason():
    def disabled(**values):
        return set(reasons({**values_of(Experiment()), **{k.replace("__", "."): v for k, v in values.items()}}))

    assert not {path for path in disabled() if path.startswith("phase_a.")} - {"phase_a.images_per_draw"}
    assert {"phase_b.residual_factor", "phase_b.sampler"} <= disabled(schedule="finetune")
    assert {"phase_a.epochs", "phase_a.tuned", "runtime.keep_towers"} <= disabled(schedule="zero_shot_adapter")
    joint = disabled(schedule="joint")
    assert {"phase_b.epochs", "phase_b.sampler"} <= joint and not {"phase_b.residual_factor", "phase_a.epochs"} & joint
    assert "dataset.imbalance_profile" in disabled()
    assert "dataset.imbalance_profile" not in disabled(dataset__source="cifar100-lt")
    assert "phase_b.views" in disabled(phase_b__features="exact")


@pytest.mark.parametrize("schedule", ["finetune", "zero_shot", "zero_shot_adapter"])
def test_a_disabled_phase_changes_no_key(schedule):
    values = {**values_of(Experiment()), "schedule": schedule}
    changed = {"phase_a.epochs": 3, "phase_b.residual_factor": 0.9, "phase_b.epochs": 4, "phase_a.tuned": "text"}
    ineffective = {path: value for path, value in changed.items() if path in reasons(values)}
    assert ineffective
    assert request_of({**values, **ineffective}).experiment.key == request_of(values).experiment.key


def test_time_counts_only_missing_stages_at_measured_speed():
    experiment = Experiment().with_values({"phase_a.epochs": 10, "phase_b.epochs": 5})
    plan = Plan(experiment, "data", "backbone", has_validation=True)
    images = {"train": 1000, "val": 100, "test": 200}
    speed = {"phase_a": 100.0, "features": 50.0, "phase_b": 1000.0}
    everything = {stage.key for stage in plan.stages()}
    # 10,000 images / 100 + (1,000 + 2 · 300) / 50 for trained and untouched towers + 5,000 / 1,000
    assert expected_time([plan], everything, images, speed).seconds == pytest.approx(100 + 32 + 5)
    only_adapter = {plan.adapter("ballad").key}
    assert expected_time([plan, plan], only_adapter, images, speed).seconds == pytest.approx(5)
    unknown = expected_time([plan], everything, images, {"phase_b": 1000.0})
    assert unknown.unknown == ("features", "phase_a") and unknown.seconds == pytest.approx(5)


def test_fresh_features_take_the_time_that_they_took_before():
    experiment = Experiment().with_values({"phase_b.features": "exact", "phase_b.epochs": 5})
    plan = Plan(experiment, "dataset", "backbone", has_validation=True)
    adapter, images = {plan.adapter("ballad").key}, {"train": 1000, "val": 100, "test": 300}
    time = expected_time([plan], adapter, images, {"phase_b": 100_000.0, "fresh features": 50.0})
    assert time.seconds == pytest.approx(5 * 1000 / 50)
    assert expected_time([plan], adapter, images, {"phase_b": 100_000.0}).unknown == ("fresh features",)


def test_speed_is_that_of_the_backbone_on_the_device():
    rows = [
        ("phase_a", "demo", "cpu", 100.0),
        ("features of train", "demo", "cpu", 10.0),
        ("features of test", "demo", "cpu", 30.0),
        ("phase_a", "RN50", "cpu", 1.0),
        ("phase_a", "demo", "cuda:0", 9.0),
    ]
    table = pd.DataFrame(rows, columns=["phase", "backbone", "device", "images_per_second"])
    assert speed_on(table, "demo", "cpu") == {"phase_a": 100.0, "features": 20.0}


def test_memory_falls_with_the_micro_batch():
    paper = default_experiment("imagenet-lt", "RN50")
    whole = training_memory(paper, 1000)
    small = training_memory(paper.with_values({"phase_a.micro_batch": 64}), 1000)
    # 448 images fewer at 50.123 MB each
    assert whole - small == pytest.approx(448 * 50.123008e6)


def test_memory_grows_with_every_prompt_of_a_class_and_with_prompts_that_are_not_cut():
    def of_text(name: str, kind: str) -> float:
        values = {"backbone.name": name, "backbone.pretrained": "datacompdr", "prompts.kind": kind}
        values |= {"phase_a.tuned": "text", "phase_a.precision": "bf16"}
        return training_memory(default_experiment("demo", "demo").with_values(values), 100)

    # 6 prompts more for each of 100 classes; a token takes 395,985 bytes or 395,882, half in bf16
    by_length = of_text("MobileCLIP-B", "ensemble") - of_text("MobileCLIP-B", "single")
    assert by_length == pytest.approx(600 * 16 * 395_985 / 2)
    always_77 = of_text("MobileCLIP-S1", "ensemble") - of_text("MobileCLIP-S1", "single")
    assert always_77 == pytest.approx(600 * 77 * 395_882 / 2)


def test_memory_is_unknown_where_nothing_trains_or_nothing_was_counted():
    assert training_memory(default_experiment("demo", "demo").with_values({"schedule": "zero_shot"}), 60) is None
    assert training_memory(default_experiment("demo", "hf-hub:owner/model"), 60) is None


def test_a_sweep_keeps_the_phase_a_of_its_base():
    base = Experiment(seed=4, schedule="finetune", name="base")
    shared, grid = sweep_of(base, [0.0, 0.5], ["class_balanced"], [0, 1], "adapter")
    plans = [
        Plan(experiment, "data", "backbone", True)
        for experiment in (base, shared.with_values({"phase_b.seed": 1, "phase_b.residual_factor": 0.5}))
    ]
    assert plans[0].towers().key == plans[1].towers().key
    assert shared.schedule == "decoupled"
    assert grid == {
        "phase_b.sampler": ["class_balanced"],
        "phase_b.seed": [0, 1],
        "phase_b.residual_factor": [0.0, 0.5],
    }
    assert "seed" in sweep_of(base, [0.0], ["instance"], [0], "run")[1]


def test_joint_training_cannot_be_swept():
    with pytest.raises(SettingsError, match="joint"):
        sweep_of(Experiment(schedule="joint"), [0.1], ["instance"], [0], "adapter")
    with pytest.raises(SettingsError, match="sampler"):
        sweep_of(Experiment(), [0.1], [], [0], "adapter")


def test_forms_load_no_heavy_library():
    program = (
        "import sys; import dashboard.forms.outlook, dashboard.forms.starting_points;"
        "import dashboard.views.lambda_sweep.sweep_results;"
        "print([name for name in ('torch', 'open_clip', 'sklearn', 'torchvision') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
