"""LIFT whole: bottlenecks in the image tower and its head before the projection, trained in one phase."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from ballad.events import CancelToken, ignore
from ballad.home import run_dir
from ballad.model.backbone import load_backbone
from ballad.stages.artifacts import ADAPTER, TOWERS
from ballad.stages.pipeline import run_experiment
from ballad.stages.prediction import Predictor
from ballad.stages.run_folder import RunFolder
from ballad.stages.stage_store import StageStore
from tests.helpers.tiny_experiment import tiny_experiment

CONFIG = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture
def tiny_vit(tmp_path):
    import open_clip

    folder = tmp_path / "tiny-vit"
    folder.mkdir()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = open_clip.CLIP(**CONFIG)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": CONFIG, "preprocess_cfg": {}}))
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture
def run(tiny_images, tiny_vit, tmp_path):
    def build(**changes):
        lift = {"schedule": "joint", "phase_a.tuned": "lift", "phase_b.method": "lift_head"}
        experiment = tiny_experiment(tiny_images, tiny_vit).with_values({**lift, **changes})
        run_experiment(
            experiment,
            home=tmp_path,
            run_dir=run_dir(tmp_path, "run"),
            device="cpu",
            on_event=ignore,
            cancel=CancelToken(),
        )
        return experiment, RunFolder.of(tmp_path, "run").plan(), StageStore(tmp_path)

    return build


def test_only_bottlenecks_and_head_are_trained(run):
    experiment, plan, stages = run(**{"phase_a.learning_rate": 0.1})
    folder = stages.kept(plan.towers())
    towers, untouched = load_file(folder / TOWERS), load_backbone(experiment.backbone, seed=0).tower_state()
    added = towers.keys() - untouched.keys()
    assert len(added) == 2 * 7 and all(".bottleneck." in name for name in added)
    assert all(towers[name].equal(untouched[name]) for name in untouched)
    assert all(towers[name].abs().sum() > 0 for name in added if name.endswith(("up.weight", "down.weight")))
    head = load_file(folder / ADAPTER)
    assert head["weight"].shape == (4, 32)
    assert head["weight"].norm(dim=1).tolist() != pytest.approx([1] * 4, abs=1e-6)


def test_before_the_first_step_it_is_its_untrained_head_on_the_untouched_tower(run):
    _, joint, stages = run(**{"phase_a.epochs": 0})
    features = np.load(stages.kept(joint.features("joint", "test")) / "features.npy")
    _, alone, stages = run(**{"schedule": "zero_shot_adapter", "phase_b.epochs": 0})
    assert np.array_equal(features, np.load(stages.kept(alone.features("lift_head", "test")) / "features.npy"))


def test_new_pictures_go_through_the_bottlenecks(run, tiny_images, tmp_path):
    run(**{"phase_a.learning_rate": 0.1})
    predictor = Predictor(tmp_path, "run", device="cpu")
    answers = RunFolder.of(tmp_path, "run").predictions("joint", "test")
    for place, picture in enumerate(sorted((tiny_images / "test").glob("*/*.png"))[::5]):
        ((name, _),) = predictor.predict(picture, top=1)["joint"]
        assert predictor.class_names[answers.predicted[5 * place]] == name


def test_half_of_the_way_has_half_of_each_step_from_the_start(run):
    _, plan, stages = run(**{"schedule": "finetune", "phase_a.interpolation": 0.5, "phase_a.learning_rate": 1})
    mixed, tuned = (load_file(stages.kept(stage) / TOWERS) for stage in (plan.towers(), plan.trained_towers()))
    up = "visual.transformer.resblocks.1.bottleneck.up.weight"
    assert tuned[up].abs().sum() > 0
    torch.testing.assert_close(mixed[up], tuned[up] / 2)
