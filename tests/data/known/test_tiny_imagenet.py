import numpy as np
import pytest

from ballad.data.catalog import CATALOG, load_dataset
from ballad.errors import DataError
from ballad.sections import DatasetSettings

SYNSETS = ("n01443537", "n01641577", "n02124075")
EACH = 30


@pytest.fixture
def original(tmp_path, write_picture):
    """Tiny-ImageNet-200 with three classes of 30 pictures."""
    folder = tmp_path / "root" / "tiny-imagenet-200"
    annotations = []
    for label, synset in enumerate(SYNSETS):
        for number in range(EACH):
            write_picture(folder / f"train/{synset}/images/{synset}_{number}.JPEG")
        write_picture(folder / f"val/images/val_{label}.JPEG")
        annotations.append(f"val_{label}.JPEG\t{synset}\t0\t0\t62\t62\n")
    (folder / "val" / "val_annotations.txt").write_text("".join(reversed(annotations)))
    (folder / "wnids.txt").write_text("\n".join(reversed(SYNSETS)))
    (folder / "words.txt").write_text(
        "n01443537\tgoldfish, Carassius auratus\nn01641577\tbullfrog\nn02124075\tEgyptian cat\n"
    )
    return folder


def load():
    return load_dataset(DatasetSettings(source="tiny-imagenet-lt"))


def test_the_split_of_the_lists_is_cut_from_the_original(original):
    dataset = load()
    assert dataset.class_names == ("goldfish", "bullfrog", "Egyptian cat")
    assert dataset.val.counts(3).tolist() == [20] * 3
    assert [dataset.test.sample_name(i) for i in range(3)] == [f"val/images/val_{label}.JPEG" for label in range(3)]

    generator = np.random.RandomState(0)
    order = generator.permutation(3)
    wanted = np.empty(3, dtype=int)
    wanted[order] = [EACH - 20, 3, 1]  # of 30, 3 and 0.3
    for label, synset in enumerate(SYNSETS):
        shuffled = generator.permutation(EACH)
        chosen = sorted(shuffled[: wanted[label]])
        rows = np.flatnonzero(dataset.train.labels == label)
        assert [dataset.train.sample_name(row) for row in rows] == [
            f"train/{synset}/images/{synset}_{number}.JPEG" for number in chosen
        ]


def test_list_files_are_read_as_they_are(list_set, tmp_path):
    (tmp_path / "root").mkdir()
    list_set.rename(tmp_path / "root" / "tiny-imagenet-lt")
    assert load().class_counts.tolist() == [6, 4, 2]
    assert load().title == "Tiny-ImageNet-LT"


def test_an_unknown_synset_among_the_annotations(original):
    (original / "val" / "val_annotations.txt").write_text("val_0.JPEG\tn09999999\t0\t0\t62\t62\n")
    with pytest.raises(DataError, match=r"val_annotations.txt, line 1: 'n09999999' is not in wnids.txt"):
        load()


def test_a_class_without_a_word(original):
    (original / "words.txt").write_text("n01443537\tgoldfish\nn02124075\tcat\n")
    with pytest.raises(DataError, match=r"Class 1 of Tiny-ImageNet-LT has no name"):
        load()


def test_the_user_s_own_names(original):
    (original / "classnames.txt").write_text("gold fish\nfrog\ncat\n")
    assert load().class_names == ("gold fish", "frog", "cat")


def test_too_few_training_pictures(original):
    for number in range(15):
        (original / f"train/n01641577/images/n01641577_{number}.JPEG").unlink()
    with pytest.raises(DataError, match=r"n01641577/images holds 15 pictures; it should hold 500"):
        load()


def test_an_incomplete_original_can_be_downloaded(original):
    (original / "wnids.txt").unlink()
    assert CATALOG["tiny-imagenet-lt"].status().state == "downloadable"


def test_two_sets_of_lists_are_said_to_be_in_the_way(list_set, tmp_path):
    (tmp_path / "root").mkdir()
    list_set.rename(tmp_path / "root" / "tiny-imagenet-lt")
    (tmp_path / "root" / "tiny-imagenet-lt" / "Other_train.txt").write_text("")
    status = CATALOG["tiny-imagenet-lt"].status()
    assert status.state == "missing" and "several lists of the train split" in status.message
