"""Every kind of tower through the whole pipeline: zero-shot, Phase A and Phase B."""

from pathlib import Path

import pytest

from ballad import api
from ballad.events import Event, Notice
from ballad.stages.run_folder import RunFolder
from tests.helpers.tiny_experiment import tiny_experiment
from tests.model.conftest import CONFIGS, WriteBackbone


@pytest.mark.parametrize("kind", sorted(CONFIGS))
def test_both_phases_move_what_they_train(write_backbone: WriteBackbone, tiny_images: Path, tmp_path: Path, kind: str):
    experiment = tiny_experiment(tiny_images, write_backbone(kind), phase_a__epochs=1, phase_b__epochs=1)
    run = RunFolder(api.run(experiment, home=tmp_path / "home").folder)
    probabilities = {model: run.predictions(model, "test").top_probabilities for model in run.result()["accuracies"]}
    zero_shot, phase_a, ballad = (probabilities[model] for model in ("zero_shot", "phase_a", "ballad"))
    assert not (zero_shot == phase_a).all() and not (phase_a == ballad).all()


def test_a_run_says_that_it_downloads(
    hub_files: dict[str, bytes], write_backbone: WriteBackbone, tiny_images: Path, tmp_path: Path
):
    for file in write_backbone().iterdir():
        hub_files[f"owner/tiny/resolve/main/{file.name}"] = file.read_bytes()
    experiment = tiny_experiment(tiny_images, Path("hf-hub:owner/tiny"), schedule="zero_shot")
    said: list[Event] = []
    api.run(experiment, home=tmp_path / "home", on_event=said.append)
    notices = [event.message for event in said if isinstance(event, Notice)]
    assert notices.count("Downloading the weights of hf-hub:owner/tiny from huggingface.co/owner/tiny.") == 1
