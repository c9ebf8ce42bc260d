"""Features on disk are those of the images asked for, in their order, however often the work was cut off."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from ballad.data.catalog import load_dataset
from ballad.data.images import evaluation_view, image_batches, to_input
from ballad.errors import Cancelled, RunError
from ballad.events import CancelToken, Progress, ignore
from ballad.model.backbone import load_backbone
from ballad.sections import BackboneSettings, DatasetSettings
from ballad.training import features as module
from ballad.training.features import extract_features

CPU = torch.device("cpu")
IMAGES = np.array([30, 2, 2, 44, 7, 0, 19, 11, 5, 40, 1])


@pytest.fixture(scope="module")
def backbone(tiny_backbone: Path):
    return load_backbone(BackboneSettings(name=str(tiny_backbone)), seed=0)


@pytest.fixture(scope="module")
def split(tiny_images: Path):
    return load_dataset(DatasetSettings(source=str(tiny_images))).train


@pytest.fixture
def extract(backbone, split, tmp_path):
    def go(*, images=IMAGES, batch_size=4, augmentation="none", seed=0, on_event=ignore, cancel=None):
        return extract_features(
            backbone,
            split,
            images,
            tmp_path,
            augmentation=augmentation,
            seed=seed,
            batch_size=batch_size,
            device=CPU,
            workers=0,
            on_event=on_event,
            cancel=cancel or CancelToken(),
        )

    return go


@pytest.fixture(scope="module")
def one_by_one(backbone, split):
    """The features of every image, each encoded alone, [N, d]."""
    pixels = [torch.tensor(evaluation_view(split.image(index), backbone.image_spec))[None] for index in range(45)]
    with torch.inference_mode():
        rows = [backbone.encode_images(to_input(picture, backbone.image_spec, CPU)) for picture in pixels]
    return torch.cat(rows).numpy()


def test_rows_are_the_features_of_the_images_asked_for_in_half_precision(extract, one_by_one, tmp_path):
    found = extract()
    assert isinstance(found, np.memmap) and found.dtype == np.float16 and found.shape == (11, 16)
    assert found.astype(np.float32) == pytest.approx(one_by_one[IMAGES], rel=2e-3, abs=1e-4)
    assert [path.name for path in tmp_path.iterdir()] == ["features.npy"]


def test_augmented_views_are_those_of_the_seed_and_differ_from_each_other(extract, backbone, split):
    found = np.array(extract(augmentation="crop_flip", seed=5))
    batches = [IMAGES[:4], IMAGES[4:8], IMAGES[8:]]
    views = image_batches(split, backbone.image_spec, batches, augmentation="crop_flip", seed=5)
    with torch.inference_mode():
        expected = [backbone.encode_images(to_input(pixels, backbone.image_spec, CPU)) for pixels, _, _ in views]
    assert found.astype(np.float32) == pytest.approx(torch.cat(expected).numpy(), rel=2e-3, abs=1e-4)
    assert not np.array_equal(found[1], found[2])  # two views of image 2


def test_progress_counts_batches_and_ends_with_nothing_to_go(extract):
    events = []
    extract(on_event=events.append)
    assert all(isinstance(event, Progress) and event.phase == "features of train" for event in events)
    assert [(event.step, event.steps) for event in events] == [(1, 3), (2, 3), (3, 3)]
    assert all((event.epoch, event.epochs) == (1, 1) for event in events)
    assert events[-1].eta_seconds == 0
    for event, done in zip(events, (4, 8, 11), strict=True):
        assert event.eta_seconds == pytest.approx((11 - done) / event.images_per_second)


@pytest.mark.parametrize("augmentation", ["none", "crop_flip"])
@pytest.mark.parametrize("steps", [1, 2])
def test_one_that_was_cut_off_goes_on_where_it_stopped(extract, tmp_path, augmentation, steps):
    whole = np.array(extract(augmentation=augmentation))
    cancel, seen = CancelToken(), []

    def stop(event):
        seen.append(event.step)
        if len(seen) == steps:
            cancel.cancel()

    with pytest.raises(Cancelled):
        extract(augmentation=augmentation, cancel=cancel, on_event=stop)
    assert json.loads((tmp_path / "progress.json").read_text()) == {"rows": 4 * steps}

    resumed = []
    found = extract(augmentation=augmentation, on_event=lambda event: resumed.append(event.step))
    assert np.array_equal(found, whole)
    assert seen == list(range(1, steps + 1)) and resumed == list(range(steps + 1, 4))
    assert not (tmp_path / "progress.json").exists()


def test_the_speed_is_that_of_this_attempt(extract, monkeypatch):
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        extract(cancel=cancel, on_event=lambda event: cancel.cancel() if event.step == 2 else None)
    clock = iter([100.0, 102.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    events = []
    extract(on_event=events.append)
    # The last three images took two seconds; the eight before them belong to the earlier attempt.
    assert [event.images_per_second for event in events] == [1.5]


def test_a_mark_now_and_then_survives_a_crash(extract, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_MARKS", 0.0)

    def crash(event):
        if event.step == 3:
            raise MemoryError

    with pytest.raises(MemoryError):
        extract(on_event=crash)
    assert json.loads((tmp_path / "progress.json").read_text()) == {"rows": 8}


@pytest.mark.parametrize("mark", ['{"rows": 4', '{"rows": "4"}', '{"rows": 400}', "[]"])
def test_damaged_leftovers_are_not_gone_on_from(extract, tmp_path, mark):
    whole = np.array(extract())
    np.save(tmp_path / "features.npy", np.zeros((11, 16), np.float16))
    (tmp_path / "progress.json").write_text(mark)
    assert np.array_equal(extract(), whole)

    (tmp_path / "features.npy").write_bytes(b"\x93NUMPY")
    (tmp_path / "progress.json").write_text('{"rows": 8}')
    assert np.array_equal(extract(), whole)


def test_features_that_are_not_finite_name_the_image(extract, backbone, split, monkeypatch):
    encode = backbone.encode_images
    monkeypatch.setattr(backbone, "encode_images", lambda pixels, space: encode(pixels, space) * 1e7)
    with pytest.raises(RunError, match=f"train image {split.sample_name(30)} are not finite in half precision"):
        extract()


def test_a_disk_without_room_is_noticed_before_anything_is_written(extract, monkeypatch):
    def full(handle: int, start: int, length: int) -> None:
        assert length == 128 + 11 * 16 * 2  # the header of .npy and the rows
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left on device"):
        extract()
