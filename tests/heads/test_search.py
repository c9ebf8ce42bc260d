"""A search trains every point of a method's grid together and keeps the best on validation; adjustments come after."""

import numpy as np
import pytest
import torch

from ballad.errors import RunError
from ballad.experiment import Experiment
from ballad.heads import HEADS
from ballad.home import run_dir
from ballad.stages.plan import Plan
from ballad.stages.run_folder import RunFolder
from ballad.training.optimizer import StackedAdamW
from tests.heads.test_protocol import run
from tests.helpers.tiny_experiment import tiny_experiment


def searched(method: str, **changes) -> Experiment:
    return Experiment().with_values({"phase_b.method": method, "phase_b.search": "grid", **changes})


def test_points_are_those_of_the_grid():
    points = searched("ballad", **{"phase_b.residual_factor": 0.9}).phase_b.points
    assert [point.residual_factor for point in points] == [0.1, 0.2, 0.3, 0.5]
    assert {point.search for point in points} == {"none"}
    points = searched("tip_adapter").phase_b.points
    assert [(point.options["alpha"], point.options["beta"]) for point in points] == [
        (1.17, 1.0),
        (1.17, 5.5),
        (5.0, 1.0),
        (5.0, 5.5),
    ]


def test_what_a_search_tries_itself_changes_no_key():
    def keys(experiment):
        plan = Plan(experiment, "d", "b", True)
        return experiment.key, plan.adapter(experiment.phase_b.method).key

    base = searched("ballad")
    assert keys(base) == keys(searched("ballad", **{"phase_b.residual_factor": 0.9}))
    assert keys(base) != keys(Experiment())
    assert keys(base) != keys(searched("ballad", **{"phase_b.learning_rate": 0.9}))
    probe = searched("linear_probe")
    assert keys(probe) == keys(searched("linear_probe", **{"phase_b.learning_rate": 0.9}))


def test_a_search_ends_as_its_best_point_alone(tiny_images, tiny_backbone, tmp_path):
    experiment = tiny_experiment(
        tiny_images, tiny_backbone, schedule="zero_shot_adapter", phase_b__method="clip_adapter", phase_b__search="grid"
    )
    result, _ = run(experiment, tmp_path, "searched")
    points, chosen = result["search"]["points"], result["search"]["chosen"]
    assert [point["values"]["ratio"] for point in points] == list(HEADS["clip_adapter"].grid["ratio"])
    on_validation = [point["accuracy"]["all"] for point in points]
    assert chosen == int(np.argmax(on_validation))
    assert result["accuracies"]["clip_adapter"]["val"]["all"] == pytest.approx(on_validation[chosen])

    best = experiment.with_values(
        {"phase_b.search": "none", "phase_b.options.ratio": points[chosen]["values"]["ratio"]}
    )
    alone, _ = run(best, tmp_path, "alone")
    assert "search" not in alone
    assert alone["accuracies"] == result["accuracies"]


def test_methods_without_training_are_searched_too(tiny_images, tiny_backbone, tmp_path):
    experiment = tiny_experiment(
        tiny_images, tiny_backbone, schedule="zero_shot_adapter", phase_b__method="tip_adapter", phase_b__search="grid"
    )
    result, _ = run(experiment, tmp_path, "searched")
    assert len(result["search"]["points"]) == 4
    assert (
        result["accuracies"]["tip_adapter"]["val"] == result["search"]["points"][result["search"]["chosen"]]["accuracy"]
    )


def test_a_search_needs_a_validation_split(tiny_images, tiny_backbone, tmp_path):
    import shutil

    shutil.copytree(tiny_images, tmp_path / "images")
    shutil.rmtree(tmp_path / "images" / "val")
    experiment = tiny_experiment(
        tmp_path / "images", tiny_backbone, schedule="zero_shot_adapter", phase_b__search="grid"
    )
    with pytest.raises(RunError, match=r"set dataset\.validation_per_class to set images aside"):
        run(experiment, tmp_path, "searched")


def test_an_adjustment_moves_answers_to_rare_classes(tiny_images, tiny_backbone, tmp_path):
    base = tiny_experiment(
        tiny_images, tiny_backbone, schedule="zero_shot_adapter", phase_b__method="class_texts", phase_b__adjustment=0
    )
    strong = base.with_values({"phase_b.adjustment": 50})
    plain, _ = run(base, tmp_path, "plain")
    assert plain["accuracies"]["class_texts"] == plain["accuracies"]["zero_shot"]
    run(strong, tmp_path, "strong")
    predicted = RunFolder(run_dir(tmp_path, "strong")).predictions("class_texts", "test").predicted
    names = sorted(folder.name for folder in (tiny_images / "train").iterdir())
    assert {names[k] for k in predicted} == {"grey"}  # the rarest, of three images


def test_stacked_adamw_is_that_of_torch():
    generator = torch.Generator().manual_seed(0)
    rates = torch.tensor([1e-2, 3e-3])
    stacked = torch.randn(2, 3, 4, generator=generator)
    alone = [torch.nn.Parameter(stacked[m].clone()) for m in range(2)]
    stacked.requires_grad_()
    stepper = StackedAdamW([stacked], weight_decay=0.1)
    optimizers = [torch.optim.AdamW([alone[m]], lr=float(rates[m]), weight_decay=0.1) for m in range(2)]
    for _ in range(5):
        gradient = torch.randn(2, 3, 4, generator=generator)
        stacked.grad = gradient.clone()
        stepper.step(rates)
        for m, optimizer in enumerate(optimizers):
            alone[m].grad = gradient[m].clone()
            optimizer.step()
    torch.testing.assert_close(stacked.detach(), torch.stack([tensor.detach() for tensor in alone]))


def test_a_point_that_diverges_leaves_the_others(tiny_images, tiny_backbone, tmp_path, monkeypatch):
    monkeypatch.setattr(HEADS["linear_probe"], "grid", {"learning_rate": (1e30, 0.1)})
    experiment = tiny_experiment(
        tiny_images, tiny_backbone, schedule="zero_shot_adapter", phase_b__method="linear_probe", phase_b__search="grid"
    )
    result, _ = run(experiment, tmp_path, "searched")
    assert result["search"]["chosen"] == 1
    assert result["search"]["points"][0]["accuracy"] is None
