"""WiSE-FT: towers between the untouched and the tuned ones, from one training."""

import torch
from safetensors.torch import load_file

from ballad.events import CancelToken, StageFinished
from ballad.experiment import Experiment
from ballad.home import run_dir
from ballad.model.backbone import load_backbone
from ballad.stages.artifacts import TOWERS
from ballad.stages.pipeline import run_experiment
from ballad.stages.plan import Plan
from ballad.stages.prediction import Predictor
from ballad.stages.run_folder import RunFolder
from ballad.stages.stage_store import StageStore
from ballad.sweeps import in_working_order
from tests.helpers.tiny_experiment import tiny_experiment


def run(experiment, home, name):
    events = []
    run_experiment(
        experiment, home=home, run_dir=run_dir(home, name), device="cpu", on_event=events.append, cancel=CancelToken()
    )
    return [event.stage for event in events if isinstance(event, StageFinished) and not event.reused]


def test_every_share_uses_one_training(tiny_images, tiny_backbone, tmp_path):
    base = tiny_experiment(tiny_images, tiny_backbone, schedule="finetune", phase_a__learning_rate=0.1)
    run(base, tmp_path, "tuned")
    shares = {"none": 0.0, "half": 0.5}
    for name, share in shares.items():
        experiment = base.with_values({"phase_a.interpolation": share})
        assert run(experiment, tmp_path, name)[:3] == ["mixed_towers", "class_text", "features"]
    plans = {name: RunFolder.of(tmp_path, name).plan() for name in ("tuned", *shares)}
    assert {plan.trained_towers().key for plan in plans.values()} == {plans["tuned"].towers().key}

    stages = StageStore(tmp_path)
    towers = {name: load_file(stages.kept(plan.towers()) / TOWERS) for name, plan in plans.items()}
    untouched = load_backbone(base.backbone, seed=0).tower_state()
    weight = "visual.attnpool.v_proj.weight"
    assert not towers["tuned"][weight].equal(untouched[weight])
    assert all(towers["none"][name].equal(untouched[name]) for name in untouched)
    mean = (towers["tuned"][weight] + untouched[weight]) / 2
    torch.testing.assert_close(towers["half"][weight], mean)

    answers = {name: RunFolder.of(tmp_path, name).predictions("phase_a", "test") for name in plans}
    zero_shot = RunFolder.of(tmp_path, "tuned").predictions("zero_shot", "test")
    assert answers["none"].predicted.tolist() == zero_shot.predicted.tolist()


def test_new_pictures_go_through_the_mixed_towers(tiny_images, tiny_backbone, tmp_path):
    half = tiny_experiment(tiny_images, tiny_backbone, schedule="finetune", phase_a__interpolation=0.5)
    run(half, tmp_path, "half")
    predictor = Predictor(tmp_path, "half", device="cpu")
    kept = load_file(StageStore(tmp_path).kept(predictor.plan.towers()) / TOWERS)
    state = predictor._backbone("phase_a").tower_state()
    assert all(state[name].equal(kept[name]) for name in kept)


def test_phase_b_learns_on_the_mixed_towers():
    half, tuned = (
        Plan(Experiment().with_values({"phase_a.interpolation": share}), "dataset", "backbone", has_validation=True)
        for share in (0.5, 1.0)
    )
    assert half.features("ballad", "train").key != tuned.features("ballad", "train").key
    assert half.towers().key != tuned.towers().key == half.trained_towers().key


def test_a_sweep_trains_first_and_mixes_afterwards():
    shares = [Experiment().with_values({"phase_a.interpolation": share}) for share in (1.0, 0.5)]
    other = Experiment(seed=1)
    assert in_working_order([*shares, other]) == [shares[0], other, shares[1]]
