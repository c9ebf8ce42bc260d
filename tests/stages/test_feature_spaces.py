"""A head that reads features before the projection gets them wherever features are read."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from ballad.analysis.predictions import Predictions
from ballad.events import CancelToken, ignore
from ballad.home import run_dir
from ballad.model.backbone import load_backbone
from ballad.stages.artifacts import CLASS_TEXT
from ballad.stages.feature_spaces import FeatureSpace
from ballad.stages.pipeline import run_experiment
from ballad.stages.prediction import Predictor
from ballad.stages.run_folder import RunFolder
from ballad.stages.stage_store import StageStore
from tests.helpers.tiny_experiment import tiny_experiment

P, CLASSES = 256, 4


def run(experiment, home):
    return run_experiment(
        experiment, home=home, run_dir=run_dir(home, "run"), device="cpu", on_event=ignore, cancel=CancelToken()
    )


@pytest.fixture
def of_lift(tiny_images, tiny_backbone):
    def build(**changes):
        settings = {"schedule": "zero_shot_adapter", "phase_b.method": "lift_head", **changes}
        return tiny_experiment(tiny_images, tiny_backbone).with_values(settings)

    return build


def test_its_stages_lie_beside_those_of_the_joint_space(of_lift, tmp_path):
    run(of_lift(**{"phase_b.views": 2}), tmp_path)
    plan, stages = RunFolder.of(tmp_path, "run").plan(), StageStore(tmp_path)
    for model, dim in (("zero_shot", 16), ("lift_head", P)):
        texts = load_file(stages.kept(plan.class_text(model)) / CLASS_TEXT)["text"]
        features = np.load(stages.kept(plan.features(model, "test")) / "features.npy")
        assert texts.shape == (CLASSES, dim) and features.shape == (16, dim)
    assert np.load(stages.kept(plan.views("lift_head")) / "features.npy").shape[1] == P
    space = FeatureSpace(plan, "lift_head", stages)
    assert space.image_features("val").shape == (12, P) and space.class_texts().shape == (CLASSES, P)


def test_untrained_it_answers_with_the_cosines_of_texts_taken_back(of_lift, tmp_path):
    experiment = of_lift(**{"phase_b.epochs": 0})
    run(experiment, tmp_path)
    folder = RunFolder.of(tmp_path, "run")
    plan, stages = folder.plan(), StageStore(tmp_path)
    backbone = load_backbone(experiment.backbone, seed=0)
    weight = backbone._model.visual.attnpool.c_proj.weight.detach()
    texts = load_file(stages.kept(plan.class_text("zero_shot")) / CLASS_TEXT)["text"]
    before = torch.from_numpy(np.load(stages.kept(plan.features("lift_head", "test")) / "features.npy")).float()
    expected = 25 * F.normalize(before, dim=1) @ F.normalize(texts @ weight, dim=1).T
    predictions: Predictions = folder.predictions("lift_head", "test")
    torch.testing.assert_close(FeatureSpace(plan, "lift_head", stages).classifier.logits(before), expected)
    assert predictions.predicted.tolist() == expected.argmax(1).tolist()


@pytest.mark.parametrize(
    "changes", [{}, {"phase_b.features": "exact"}, {"schedule": "decoupled"}, {"schedule": "joint"}]
)
def test_new_pictures_are_read_as_those_of_the_run(of_lift, tiny_images, tmp_path, changes):
    experiment = of_lift(**changes)
    run(experiment, tmp_path)
    predictor = Predictor(tmp_path, "run", device="cpu")
    picture = tiny_images / "test" / "blue" / "0.png"
    known = RunFolder.of(tmp_path, "run").predictions(experiment.final_model, "test")
    name, _ = predictor.predict(picture, top=1)[experiment.final_model][0]
    place = sorted((tiny_images / "test").glob("*/*.png")).index(picture)
    assert predictor.class_names[known.predicted[place]] == name
