import pytest

from ballad.data.class_names import class_name_notes, readable_name


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("sea_snake", "sea snake"),
        ("great-white-shark", "great white shark"),
        ("black-footed_albatross", "black-footed albatross"),
        ("001.Black_footed_Albatross", "Black footed Albatross"),
        ("T-shirt", "T-shirt"),
        ("AnnualCrop", "Annual Crop"),
        ("iPod", "iPod"),
        ("7", "7"),
    ],
)
def test_folder_names_become_words(raw, words):
    assert readable_name(raw) == words


def test_duplicates_are_named_with_their_labels():
    (note,) = class_name_notes(("missile", "tank", "missile"))
    assert note == "2 classes are called 'missile' (labels 0, 2), so the model cannot tell them apart."


def test_names_that_are_no_words():
    (note,) = class_name_notes(("n01443537", "bullfrog", "12"))
    assert note.startswith("Some class names are not words (n01443537, 12)")


def test_underscores():
    (note,) = class_name_notes(("sea_snake", "a_b", "bullfrog", "c_d", "e_f"))
    assert note == "Some class names hold underscores (sea_snake, a_b, c_d and 1 more)."


def test_synonyms():
    (note,) = class_name_notes(("tench, Tinca tinca", "goldfish"))
    assert note == "Some class names list synonyms (tench, Tinca tinca); a prompt reads better with a single name."


def test_good_names_need_no_note():
    assert class_name_notes(("sea snake", "T-shirt", "7up bottle")) == []
