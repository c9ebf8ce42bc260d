from pathlib import Path

import pytest
import torch

from ballad.analysis.evaluation import group_accuracies
from ballad.data.catalog import load_dataset
from ballad.errors import Cancelled, RunError, SettingsError
from ballad.events import CancelToken, EpochEvaluated, Notice, Progress
from ballad.experiment import Experiment
from ballad.heads.head import Context
from ballad.model.backbone import load_backbone
from ballad.training import phase_a
from ballad.training.gradients import accumulate_gradients
from ballad.training.phase_a import TowerTraining
from ballad.training.tuned_model import TunedModel

CPU = torch.device("cpu")
SETTINGS = {
    "schedule": "finetune",
    "phase_a.epochs": 2,
    "phase_a.batch_size": 8,
    "phase_a.learning_rate": 0.01,
}


@pytest.fixture
def make(tiny_images: Path, tiny_backbone: Path, tmp_path: Path):
    """Builds the training of a tiny experiment with these settings changed."""
    paths = {"dataset.source": str(tiny_images), "backbone.name": str(tiny_backbone)}

    def build(values=None, *, joint=False, cancel=None, on_event=lambda event: None, folder=tmp_path) -> TowerTraining:
        experiment = Experiment().with_values({**SETTINGS, **paths, **(values or {})})
        dataset = load_dataset(experiment.dataset)
        backbone = load_backbone(experiment.backbone, seed=0)
        model = TunedModel(backbone, dataset, experiment, joint=joint, device=CPU)

        def score(predicted):
            return group_accuracies(dataset.val.labels, predicted, dataset.shot_group_of_class)

        return TowerTraining(
            model,
            dataset,
            experiment,
            folder=folder,
            score=score,
            on_event=on_event,
            cancel=cancel or CancelToken(),
        )

    return build


def weights(training: TowerTraining) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in training.model.parameters().items()}


def gradients(training: TowerTraining, objective: str, micro_batch: int) -> tuple[float, dict[str, torch.Tensor]]:
    pixels, labels = next(training._training_images([torch.arange(0, 45, 4)]))
    for parameter in training.model.parameters().values():
        parameter.grad = None
    loss = accumulate_gradients(training.model, pixels, labels, objective, micro_batch)
    return loss, {name: p.grad.clone() for name, p in training.model.parameters().items() if p.grad is not None}


@pytest.mark.parametrize("objective", ["class", "image_to_text", "symmetric"])
@pytest.mark.parametrize("joint", [False, True])
def test_micro_batches_give_the_gradients_of_the_whole_batch(make, objective, joint):
    training = make(joint=joint)
    whole_loss, whole = gradients(training, objective, micro_batch=512)
    loss, parts = gradients(training, objective, micro_batch=5)
    assert loss == pytest.approx(whole_loss, rel=1e-5)
    assert whole.keys() == parts.keys()
    for name, gradient in whole.items():
        assert torch.allclose(gradient, parts[name], rtol=1e-3, atol=1e-5 * float(gradient.abs().max() + 1)), name


@pytest.mark.parametrize("tuned", ["both", "image", "text"])
@pytest.mark.parametrize("joint", [False, True])
def test_gradients_reach_exactly_what_is_tuned(make, tuned, joint):
    training = make({"phase_a.tuned": tuned}, joint=joint)
    backbone = training.model.backbone
    everything = {name: p.detach().clone() for name, p in backbone._model.state_dict().items()}
    before = weights(training)
    training.run()
    moved = {name for name, value in backbone._model.state_dict().items() if not value.equal(everything[name])}
    expected = set()
    if tuned in ("both", "image"):
        expected |= set(backbone.image_parameters())
    if tuned in ("both", "text"):
        expected |= set(backbone.text_parameters())
    # Weight decay moves everything that is tuned; batch-norm statistics and the logit scale stay.
    assert moved == expected
    after = weights(training)
    adapter_moves = [not after[name].equal(before[name]) for name in after if name.startswith("adapter")]
    assert adapter_moves == [True] * (2 if joint else 0)


def test_the_same_seed_gives_the_same_weights_and_another_does_not(make, tmp_path):
    results = []
    for number, seed in enumerate((0, 0, 1)):
        training = make({"seed": seed}, folder=tmp_path / str(number))
        (tmp_path / str(number)).mkdir()
        training.run()
        results.append(weights(training)["visual.conv1.weight"])
    assert results[0].equal(results[1])
    assert not results[0].equal(results[2])


@pytest.mark.parametrize("stop_after", [1, 4, 6, 11])
def test_a_training_that_was_cut_off_ends_bit_equal(make, tmp_path, stop_after):
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    whole = make(folder=tmp_path / "whole")
    whole.run()

    cancel, seen = CancelToken(), []

    def stop(event):
        if isinstance(event, Progress):
            seen.append(event)
            if len(seen) == stop_after:
                cancel.cancel()

    with pytest.raises(Cancelled):
        make(cancel=cancel, on_event=stop, folder=tmp_path / "cut").run()
    resumed = make(folder=tmp_path / "cut")
    resumed.run()
    for name, weight in weights(whole).items():
        assert weight.equal(weights(resumed)[name]), name
    assert resumed.history == whole.history


def test_a_checkpoint_within_an_epoch_survives_a_crash(make, monkeypatch):
    monkeypatch.setattr(phase_a, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)

    class Crash(Exception):
        pass

    def crash_at_third(event):
        if isinstance(event, Progress) and event.step == 3:
            raise Crash

    with pytest.raises(Crash):
        make(on_event=crash_at_third).run()
    resumed = make()
    resumed._restore()
    assert (resumed.epoch, resumed.step) == (0, 2)


def test_out_of_memory_halves_the_micro_batch_and_says_so(make, monkeypatch):
    events = []
    training = make({"phase_a.epochs": 1}, on_event=events.append)
    encode = training.model.encode_images

    def device_with_room_for_three(pixels):
        if len(pixels) > 3 and torch.is_grad_enabled():
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return encode(pixels)

    monkeypatch.setattr(training.model, "encode_images", device_with_room_for_three)
    training.run()
    notices = [event.message for event in events if isinstance(event, Notice)]
    assert [training.micro_batch, len(notices)] == [2, 2]
    assert "continuing with 4 images at a time" in notices[0] and "results do not change" in notices[0]


def test_best_selection_hands_on_the_best_epoch(make):
    scores = iter([90.0, 10.0])
    kept = []
    training = make({"phase_a.selection": "best"})
    training.score = lambda predicted: {"all": next(scores)}
    training.on_event = lambda event: kept.append(weights(training)) if isinstance(event, EpochEvaluated) else None
    training.run()
    assert weights(training)["visual.conv1.weight"].equal(kept[0]["visual.conv1.weight"])


def test_bf16_follows_fp32(make, tmp_path):
    losses = {}
    for precision in ("fp32", "bf16"):
        (tmp_path / precision).mkdir()
        training = make({"phase_a.precision": precision, "phase_a.epochs": 3}, folder=tmp_path / precision)
        training.run()
        assert all(parameter.dtype == torch.float32 for parameter in training.model.parameters().values())
        losses[precision] = [event.loss for event in training.history]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.03)


@pytest.mark.parametrize("joint", [False, True])
def test_a_loss_that_is_not_finite_stops_the_training_and_says_where(make, joint):
    training = make({"phase_a.learning_rate": 1e30, "backbone.temperature": 0.01}, joint=joint)
    title = "Joint training" if joint else "Phase A"
    with pytest.raises(
        RunError, match=rf"^{title} diverged: the loss of epoch 1, step [23] is (nan|inf); try a lower"
    ) as stop:
        training.run()
    assert "phase_a.learning_rate (now 1e+30)" in str(stop.value) and "backbone.temperature" in str(stop.value)
    assert not training.checkpoint_path.exists() and not training.history


def test_weights_that_the_last_step_ruined_stop_the_training(make):
    training = make({"phase_a.learning_rate": 1e39, "phase_a.batch_size": 64, "optimizer.cosine_by": "step"})
    with pytest.raises(RunError, match=r"after epoch 1 the weight visual.* is no longer finite; try a lower"):
        training.run()
    assert not training.checkpoint_path.exists()


def test_a_damaged_checkpoint_is_said_and_the_training_begins_anew(make, tmp_path):
    for name in ("whole", "damaged"):
        (tmp_path / name).mkdir()
    whole = make(folder=tmp_path / "whole")
    whole.run()
    checkpoint = (tmp_path / "whole" / "checkpoint.safetensors").read_bytes()
    (tmp_path / "damaged" / "checkpoint.safetensors").write_bytes(checkpoint[: len(checkpoint) // 2])
    events = []
    again = make(folder=tmp_path / "damaged", on_event=events.append)
    again.run()
    assert isinstance(events[0], Notice) and "is damaged; training starts over" in events[0].message
    assert again.history == whole.history


@pytest.mark.parametrize("method", ["balanced_softmax", "cosine_adjusted", "tau_normalized"])
def test_joint_training_has_the_loss_of_the_method(make, method):
    """As Phase B has it on the same features, in one piece or in several."""
    training = make({"phase_b.method": method}, joint=True)
    model = training.model
    pixels, labels = next(training._training_images([torch.arange(0, 45, 4)]))
    with torch.no_grad():
        context = Context(model.text(), model.backbone.logit_scale)
        expected = model.head.loss(model.state, model.encode_images(pixels), labels, context, 0.0)
    for micro_batch in (len(labels), 5):
        assert gradients(training, "class", micro_batch)[0] == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("method", ["ldam_drw", "ride", "sade", "nearest_class_mean", "class_texts"])
def test_methods_whose_loss_is_no_cross_entropy_of_logits_are_not_trained_along(method):
    with pytest.raises(SettingsError, match=f"the method {method} cannot be trained along with the towers"):
        Experiment().with_values({"phase_b.method": method, "schedule": "joint"})
