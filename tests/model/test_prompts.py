import pytest

from ballad.model.prompts import PAPER_TEMPLATES, class_prompts
from ballad.sections import PromptSettings

NAMES = ["sea snake", "goldfish"]


def test_single_is_the_papers_prompt():
    assert class_prompts(NAMES, PromptSettings(), seed=0) == [["a photo of a sea snake."], ["a photo of a goldfish."]]


def test_ensemble_is_clips_seven_in_order():
    prompts = class_prompts(NAMES, PromptSettings(kind="ensemble"), seed=0)
    assert prompts[1] == [
        "itap of a goldfish.",
        "a bad photo of the goldfish.",
        "a origami goldfish.",
        "a photo of the large goldfish.",
        "a goldfish in a video game.",
        "art of the goldfish.",
        "a photo of the small goldfish.",
    ]


def test_random_single_draws_one_of_the_seven_for_each_class():
    names = [str(number) for number in range(100)]
    prompts = class_prompts(names, PromptSettings(kind="random_single"), seed=3)
    drawn = {prompt.replace(name, "{}", 1) for name, (prompt,) in zip(names, prompts, strict=True)}
    assert drawn == set(PAPER_TEMPLATES)


@pytest.mark.parametrize(("seed", "same"), [(3, True), (4, False)])
def test_random_single_follows_from_its_seed(seed: int, same: bool):
    names, settings = ["dog"] * 50, PromptSettings(kind="random_single")
    assert (class_prompts(names, settings, seed=3) == class_prompts(names, settings, seed=seed)) is same


def test_custom_templates_keep_other_braces():
    settings = PromptSettings(kind="custom", templates=("{id} a {}", "the {}"))
    assert class_prompts(["cat"], settings, seed=0) == [["{id} a cat", "the cat"]]
