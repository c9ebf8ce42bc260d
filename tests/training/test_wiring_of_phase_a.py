"""Phase A wires its formulas together rightly: what is drawn, at which rate, with which loss, and what is resumed."""

import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from ballad.data.catalog import load_dataset
from ballad.errors import Cancelled
from ballad.events import CancelToken, EpochEvaluated, Progress
from ballad.experiment import Experiment
from ballad.model.backbone import load_backbone
from ballad.training import phase_a, throughput
from ballad.training.gradients import accumulate_gradients
from ballad.training.phase_a import TowerTraining
from ballad.training.sampling import EpochSampler
from ballad.training.schedule import derived_seed
from ballad.training.tuned_model import TunedModel

CPU = torch.device("cpu")
SETTINGS = {
    "schedule": "finetune",
    "phase_a.epochs": 2,
    "phase_a.batch_size": 16,
    "phase_a.learning_rate": 0.01,
    "phase_a.augmentation": "none",
}


@pytest.fixture
def make(tiny_images: Path, tiny_backbone: Path, tmp_path: Path):
    paths = {"dataset.source": str(tiny_images), "backbone.name": str(tiny_backbone)}

    def build(values=None, *, joint=False, cancel=None, on_event=lambda event: None, scores=None) -> TowerTraining:
        experiment = Experiment().with_values({**SETTINGS, **paths, **(values or {})})
        dataset = load_dataset(experiment.dataset)
        model = TunedModel(load_backbone(experiment.backbone, seed=0), dataset, experiment, joint=joint, device=CPU)
        accuracies = iter(scores or [])
        return TowerTraining(
            model,
            dataset,
            experiment,
            folder=tmp_path,
            score=lambda predicted: {"all": next(accuracies, None)},
            on_event=on_event,
            cancel=cancel or CancelToken(),
        )

    return build


def symmetric_loss(features: torch.Tensor, text: torch.Tensor, labels: torch.Tensor, scale: float) -> torch.Tensor:
    """Mean of Eq. 2 + Eq. 3, a pair at a time: images and texts of the pair's own class are no negatives."""
    z = scale * F.normalize(features, dim=1) @ text[labels].T  # [image, text of image]
    total = torch.tensor(0.0)
    for i, label in enumerate(labels.tolist()):
        others = [j for j in range(len(labels)) if labels[j] != label]
        to_texts = torch.stack([z[i, i], *(z[i, j] for j in others)])
        to_images = torch.stack([z[i, i], *(z[j, i] for j in others)])
        total = total - 2 * z[i, i] + to_texts.logsumexp(0) + to_images.logsumexp(0)
    return total / len(labels)


@pytest.mark.parametrize("micro_batch", [64, 6, 5])  # one part, exactly two, three
def test_the_symmetric_loss_is_equation_2_plus_equation_3(make, micro_batch):
    training = make({"phase_a.objective": "symmetric"})
    model = training.model
    pixels, labels = next(training._training_images([torch.arange(0, 45, 4)]))
    expected = symmetric_loss(model.encode_images(pixels), model.text(), labels, model.backbone.logit_scale)
    expected.backward()
    wanted = {name: parameter.grad.clone() for name, parameter in model.towers.items()}
    for parameter in model.towers.values():
        parameter.grad = None

    loss = accumulate_gradients(model, pixels, labels, "symmetric", micro_batch)
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    for name, parameter in model.towers.items():
        assert torch.allclose(parameter.grad, wanted[name], rtol=1e-3, atol=1e-5), name


def labels_by_epoch(training: TowerTraining, monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Train, and return the labels that each epoch showed, in order."""
    seen: list[list[int]] = [[] for _ in range(training.settings.epochs)]

    def watched(model, pixels, labels, objective, micro_batch):
        seen[training.epoch] += labels.tolist()
        return accumulate_gradients(model, pixels, labels, objective, micro_batch)

    monkeypatch.setattr(phase_a, "accumulate_gradients", watched)
    training.run()
    return seen


@pytest.mark.parametrize("sampler", ["instance", "mix_balanced"])
def test_every_epoch_shows_its_own_draw(make, monkeypatch, sampler):
    training = make({"phase_a.sampler": sampler})
    labels = torch.from_numpy(training.dataset.train.labels)
    # The mix goes from the images' own frequencies at the first of two epochs to equal classes at the second.
    drawing = EpochSampler(labels, sampler, epochs=2)
    expected = [labels[drawing.draw(e, derived_seed(0, "phase_a", sampler, e))].tolist() for e in range(2)]
    assert labels_by_epoch(training, monkeypatch) == expected
    assert expected[0] != expected[1]


@pytest.mark.parametrize("by", ["step", "epoch"])
@pytest.mark.parametrize("joint", [False, True])
def test_rates_follow_the_cosine_of_the_settings(make, by, joint):
    events, adapter_rates = [], []
    training = make(
        {"optimizer.cosine_by": by, "phase_b.learning_rate": 0.3},
        joint=joint,
        on_event=lambda event: (events.append(event), adapter_rates.append(training.optimizer.param_groups[-1]["lr"])),
    )
    training.run()
    # 45 images in batches of 16 are three steps; two epochs.
    done = [k / 6 for k in range(6)] if by == "step" else [1 / 2] * 3 + [1] * 3
    cosine = [0.5 + 0.5 * math.cos(math.pi * share) for share in done]
    steps = [(event, rate) for event, rate in zip(events, adapter_rates, strict=True) if isinstance(event, Progress)]
    assert [event.learning_rate for event, _ in steps] == pytest.approx([0.01 * factor for factor in cosine])
    base = 0.3 if joint else 0.01
    assert [rate for _, rate in steps] == pytest.approx([base * factor for factor in cosine])


def test_an_epochs_loss_is_the_mean_of_its_own_steps(make, monkeypatch):
    losses: list[list[float]] = [[], []]
    told: list[list[float]] = [[], []]

    def watched(*arguments):
        losses[training.epoch].append(accumulate_gradients(*arguments))
        return losses[training.epoch][-1]

    def tell(event):
        if isinstance(event, Progress):
            told[event.epoch - 1].append(event.loss)

    monkeypatch.setattr(phase_a, "accumulate_gradients", watched)
    training = make(on_event=tell)
    training.run()
    assert [event.epoch for event in training.history] == [1, 2]
    for of_epoch, shown, event in zip(losses, told, training.history, strict=True):
        # 45 images: 16, 16 and 13 at a time.
        assert shown == pytest.approx([sum(of_epoch[:n]) / n for n in (1, 2, 3)])
        assert event.loss == pytest.approx(sum(of_epoch) / 3)


def test_speed_and_time_left_count_training_alone(make, monkeypatch):
    clock, shown = [0.0], []

    def step_of_a_second(*arguments):
        clock[0] += 1
        return accumulate_gradients(*arguments)

    def score_of_a_minute(predicted):
        clock[0] += 60
        return {"all": 50.0}

    monkeypatch.setattr(throughput, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(phase_a, "accumulate_gradients", step_of_a_second)
    training = make(on_event=shown.append)
    training.score = score_of_a_minute
    clock[0] += 30  # the dataset is read
    training.run()
    steps = [event for event in shown if isinstance(event, Progress)]
    images = [16, 32, 45, 61, 77, 90]
    assert [event.images_per_second for event in steps] == [total / n for n, total in enumerate(images, start=1)]
    assert [event.eta_seconds for event in steps] == [5, 4, 3, 2, 1, 0]


def test_every_epoch_has_views_of_its_own(make):
    training = make({"phase_a.augmentation": "crop_flip"})
    batches = [torch.arange(0, 45, 4)]
    shown = []
    for epoch in (0, 1, 1):
        training.epoch = epoch
        shown.append(next(training._training_images(batches))[0])
    assert shown[1].equal(shown[2]) and not shown[0].equal(shown[1])


def test_a_cancelled_training_goes_on_from_its_last_step(make):
    cancel = CancelToken()

    def stop(event):
        if isinstance(event, Progress) and (event.epoch, event.step) == (2, 1):
            cancel.cancel()

    with pytest.raises(Cancelled):
        make(cancel=cancel, on_event=stop).run()
    resumed = make()
    resumed._restore()
    assert (resumed.epoch, resumed.step) == (1, 1)


def test_a_training_that_crashed_goes_on_from_its_last_epoch(make):
    def crash(event):
        if isinstance(event, Progress) and (event.epoch, event.step) == (2, 2):
            raise MemoryError

    with pytest.raises(MemoryError):
        make(on_event=crash).run()
    resumed = make()
    resumed._restore()
    assert (resumed.epoch, resumed.step, len(resumed.history)) == (1, 0, 1)


def test_a_resumed_training_remembers_its_best_epoch(make):
    cancel, kept = CancelToken(), {}

    def stop_after_the_first_epoch(event):
        if isinstance(event, EpochEvaluated):
            kept.update({name: weight.clone() for name, weight in training._weights().items()})
            cancel.cancel()

    best = {"phase_a.selection": "best"}
    training = make(best, cancel=cancel, on_event=stop_after_the_first_epoch, scores=[90.0])
    with pytest.raises(Cancelled):
        training.run()
    resumed = make(best, scores=[50.0])
    resumed.run()
    assert [event.accuracy["all"] for event in resumed.history] == [90.0, 50.0]
    assert all(weight.equal(kept[name]) for name, weight in resumed._weights().items())


def test_of_epochs_that_score_alike_the_first_is_kept(make):
    kept = []
    training = make({"phase_a.selection": "best"}, scores=[50.0, 50.0])
    training.on_event = lambda event: (
        kept.append({name: weight.clone() for name, weight in training._weights().items()})
        if isinstance(event, EpochEvaluated)
        else None
    )
    training.run()
    assert all(weight.equal(kept[0][name]) for name, weight in training._weights().items())
