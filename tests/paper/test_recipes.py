import pytest

from ballad.errors import SettingsError
from ballad.experiment import Experiment, setting_names
from ballad.paper.recipes import DIFFERENCES, RECIPES, difference_table, recipe_of, recipe_values
from ballad.training.schedule import cosine_rate


def with_recipe(name: str) -> Experiment:
    return Experiment().with_values(recipe_values(name))


def test_paper_is_what_the_settings_default_to():
    assert with_recipe("paper") == Experiment()


def test_recipes_name_the_same_settings_and_differ_in_every_topic():
    assert RECIPES["paper"].keys() == RECIPES["released_code"].keys() <= set(setting_names())
    for difference in DIFFERENCES:
        assert len(difference.settings) == len(difference.paper) == len(difference.released_code)
        assert difference.paper != difference.released_code


def test_released_code_is_as_published():
    experiment = with_recipe("released_code")
    phase_a, phase_b = experiment.phase_a, experiment.phase_b
    assert (phase_b.activation, phase_b.bias) == ("none", False)
    assert 1 / experiment.backbone.temperature == pytest.approx(100)
    assert phase_a.augmentation == phase_b.augmentation == "crop_flip_jitter"
    assert phase_b.images_per_draw == 4 and phase_b.batch_size / phase_b.images_per_draw == 128
    assert phase_a.drop_last and phase_b.drop_last
    assert phase_a.selection == "best"


@pytest.mark.parametrize(
    ("recipe", "first", "last"), [("paper", 0.2, 0.2 * 0.5 * (1 - 0.9510565)), ("released_code", 0.195106, 0.0)]
)
def test_rates_of_phase_b_at_the_start_of_its_first_and_last_epoch(recipe, first, last):
    experiment = with_recipe(recipe)
    phase_b, by = experiment.phase_b, experiment.optimizer.cosine_by
    rates = [
        cosine_rate(phase_b.learning_rate, epoch=epoch, epochs=phase_b.epochs, step=0, steps=211, by=by)
        for epoch in (0, phase_b.epochs - 1)
    ]
    assert rates == pytest.approx([first, last], abs=1e-6)


@pytest.mark.parametrize("name", RECIPES)
def test_an_experiment_knows_its_recipe_whatever_else_it_sets(name):
    experiment = with_recipe(name).with_values({"phase_b.residual_factor": 0.7, "seed": 3, "prompts.kind": "ensemble"})
    assert recipe_of(experiment) == name


def test_a_mixture_is_no_recipe():
    assert recipe_of(Experiment().with_values({"phase_b.bias": False})) is None


def test_an_unknown_recipe_is_named():
    with pytest.raises(SettingsError, match="no recipe 'mine'; the recipes are paper, released_code, lift"):
        recipe_values("mine")


def test_the_table_of_differences_speaks_the_shells_words():
    table = difference_table().set_index("topic")
    assert table.at["adapter", "setting"] == "phase_b.activation, phase_b.bias"
    assert table.loc["adapter", ["paper", "released_code"]].tolist() == ["relu, true", "none, false"]
    assert table.loc["class-wise sampling", ["paper", "released_code"]].tolist() == ["1", "4"]
    assert table.at["temperature", "paper"] == "null"


def test_lift_trains_bottlenecks_and_its_head_together():
    lift = Experiment().with_values(recipe_values("lift"))
    assert lift.training.is_joint and lift.phase_a.tuned == "lift" and lift.head_settings.method == "lift_head"
    assert (lift.phase_a.epochs, lift.phase_a.batch_size, lift.phase_a.sampler) == (10, 128, "instance")
    assert lift.phase_a.learning_rate == lift.phase_b.learning_rate == 0.01 and recipe_of(lift) is None
