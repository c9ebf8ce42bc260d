"""A head in ten lines goes through everything that BALLAD's adapter goes through."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ballad.errors import SettingsError
from ballad.events import CancelToken, StageFinished
from ballad.experiment import Experiment
from ballad.heads import HEADS
from ballad.heads.head import Context, TrainingData
from ballad.home import run_dir
from ballad.schedules import model_title
from ballad.stages.pipeline import run_experiment
from ballad.stages.plan import Plan
from ballad.stages.prediction import Predictor
from ballad.stages.projections import Projection, ProjectionRequest, compute_projection
from ballad.stages.stage_store import StageStore
from ballad.sweeps import expand
from dashboard.settings.field_kinds import Number
from dashboard.settings.head_fields import head_fields
from tests.heads.toy import Toy
from tests.helpers.tiny_experiment import tiny_experiment


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    monkeypatch.setitem(HEADS, "toy", Toy)


def run(experiment, home, name, **arguments):
    events = []
    result = run_experiment(
        experiment,
        home=home,
        run_dir=run_dir(home, name),
        device="cpu",
        on_event=events.append,
        cancel=CancelToken(),
        **arguments,
    )
    return result, [event.stage for event in events if isinstance(event, StageFinished) and not event.reused]


def test_a_sweep_over_an_option_trains_together_predicts_and_is_laid_out(tiny_images, tiny_backbone, tmp_path):
    base = tiny_experiment(tiny_images, tiny_backbone, schedule="zero_shot_adapter", phase_b__method="toy")
    weak, strong = expand(base, {"phase_b.options.tau": [0, 2]})
    assert strong.phase_b.options == {"tau": 2, "start_at": 0}
    result, computed = run(strong, tmp_path, "strong", companions=[weak])
    assert list(result["accuracies"]) == ["zero_shot", "toy"]
    assert "adapter" in computed
    without, computed = run(weak, tmp_path, "weak")
    assert computed == ["evaluation"]
    # τ = 0 leaves nothing of the bias.
    assert without["accuracies"]["toy"] == without["accuracies"]["zero_shot"]

    picture = next((tiny_images / "test" / "red").iterdir())
    ranked = Predictor(tmp_path, "weak", device="cpu").predict(picture)
    assert len(ranked["toy"]) == 4 and dict(ranked["toy"]) == pytest.approx(dict(ranked["zero_shot"]))

    request = ProjectionRequest(sides=({"run": "strong", "model": "toy"},), perplexity=3)
    folder = StageStore(tmp_path).folder(compute_projection(tmp_path, request))
    assert len(Projection.read(folder).points) == 16


def test_it_is_trained_along_with_the_towers(tiny_images, tiny_backbone, tmp_path):
    experiment = tiny_experiment(tiny_images, tiny_backbone, schedule="joint", phase_b__method="toy")
    result, _ = run(experiment, tmp_path, "joint")
    assert list(result["accuracies"]) == ["zero_shot", "joint"]
    (file,) = (tmp_path / "stages").glob("towers/*/adapter.safetensors")
    (bias,) = load_file(file).values()
    assert bias.shape == (1, 4) and bias.abs().sum() > 0


def toy_experiment(**options) -> Experiment:
    own = {f"phase_b.options.{name}": value for name, value in options.items()}
    return Experiment().with_values({"phase_b.method": "toy", **own})


def test_options_are_completed_and_each_has_its_dotted_name():
    experiment = toy_experiment(tau=0.5)
    assert experiment.phase_b.options == {"tau": 0.5, "start_at": 0.0}
    assert experiment.flat()["phase_b.options.tau"] == 0.5
    assert Experiment.parse(experiment.model_dump(mode="json")) == experiment


def test_another_method_starts_from_its_own_options():
    assert toy_experiment(tau=0.5).with_values({"phase_b.method": "ballad"}).phase_b.options == {}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"tua": 1}, "phase_b.options: the method toy has no option 'tua'; its options are tau, start_at."),
        ({"tau": 3}, "phase_b.options: tau = 3: should be less than or equal to 2."),
    ],
)
def test_a_wrong_option_is_named_with_what_there_is(values, sentence):
    with pytest.raises(SettingsError) as error:
        toy_experiment(**values)
    assert str(error.value) == sentence


def test_ballads_options_are_settings_of_phase_b():
    with pytest.raises(SettingsError, match=r"has no option 'residual_factor'; its settings are phase_b\.placement, "):
        Experiment().with_values({"phase_b.options.residual_factor": 0.5})


def test_an_unknown_method_is_refused():
    with pytest.raises(SettingsError, match=r"phase_b\.method = 'svm': should be one of ballad, .*, toy\."):
        Experiment().with_values({"phase_b.method": "svm"})


def test_keys_follow_the_methods_own_options_and_not_ballads():
    def adapter(experiment):
        return Plan(experiment, "d", "b", True).adapter(experiment.phase_b.method).key

    base = toy_experiment()
    assert adapter(toy_experiment(tau=0.5)) != adapter(base)
    assert toy_experiment(tau=0.5).key != base.key
    for name, value in {"residual_factor": 0.9, "placement": "both", "activation": "none", "bias": False}.items():
        other = base.with_values({f"phase_b.{name}": value})
        assert (other.key, adapter(other)) == (base.key, adapter(base))


def test_the_form_follows_from_the_options():
    fields = head_fields(Toy)
    assert list(fields) == ["phase_b.options.toy.tau", "phase_b.options.toy.start_at"]
    tau, start_at = fields.values()
    assert isinstance(tau, Number) and (tau.label, tau.least) == ("Strength τ", 0)
    assert isinstance(start_at, Number) and start_at.least is None


def test_titles_say_what_is_a_head_only(monkeypatch):
    assert model_title("toy") == "Toy"
    monkeypatch.setattr(Toy, "head_only", True)
    assert model_title("toy") == "Toy (head only)"
    assert model_title("of another release") == "of another release"


def test_no_head_takes_the_name_of_another_model():
    assert not {"zero_shot", "phase_a", "joint"} & set(HEADS)


def test_members_of_one_training_keep_their_own_options():
    head = Toy([Toy.Options(tau=0), Toy.Options(tau=2, start_at=0.5)], [0, 1])
    context = Context(torch.eye(2), 10.0)
    state = head.start(context, TrainingData(torch.tensor([3, 1]), 1))
    logits = head.logits(state, torch.tensor([[0.6, 0.8]]), context)
    np.testing.assert_allclose(logits[:, 0], [[6, 8], [7, 9]], rtol=1e-6)
