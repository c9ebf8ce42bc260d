import pytest

from ballad.model.class_tokens import class_token_notes, tokenizer_of
from ballad.sections import BackboneSettings, PromptSettings


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of(BackboneSettings())


@pytest.mark.parametrize("kind", ["single", "ensemble", "random_single"])
def test_names_that_become_the_same_tokens_are_named(tokenizer, kind):
    names = ["Crane", "owl", "cat &amp; dog", "crane", "cat & dog", "cat  &  dog", "C", "C++"]
    assert class_token_notes(names, tokenizer, PromptSettings(kind=kind)) == [
        "The classes Crane and crane are the same to the backbone's tokenizer, so they cannot be told apart.",
        "The classes cat &amp; dog and cat & dog and cat  &  dog are the same to the backbone's tokenizer, so they "
        "cannot be told apart.",
    ]


def test_names_beyond_the_tokenizer_s_length_are_said_to_be_cut(tokenizer):
    long = "very " * 100
    same, cut = class_token_notes([f"{long}one", f"{long}two", "owl"], tokenizer, PromptSettings())
    assert same.startswith("The classes very very") and "cannot be told apart" in same
    assert cut.startswith("Some class names are too long") and "owl" not in cut


def test_a_name_that_just_fits_is_not_cut(tokenizer):
    length = tokenizer(["owl"]).shape[1]
    # Start, "a photo of a", the name, the full stop and the end.
    fits, too_long = (" ".join(["owl"] * count) for count in (length - 7, length - 6))
    assert class_token_notes([fits, "cat"], tokenizer, PromptSettings()) == []
    assert len(class_token_notes([too_long, "cat"], tokenizer, PromptSettings())) == 1


def test_names_that_are_equal_have_a_note_of_their_own_elsewhere(tokenizer):
    assert class_token_notes(["owl", "owl"], tokenizer, PromptSettings()) == []
