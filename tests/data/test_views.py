import numpy as np
import pytest
from PIL import Image

from ballad.data.views import Draw, ImageSpec, evaluation_view, training_view

MEAN, STD = (0.48, 0.46, 0.41), (0.27, 0.26, 0.28)


def drawn_view(image, spec, augmentation, rng):
    return training_view(image, spec, Draw.of(*image.size, augmentation, rng))


def noise(width, height, seed=0):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("size", [(64, 64), (100, 75), (75, 101), (33, 200), (32, 32), (31, 45)])
@pytest.mark.parametrize("resize_mode", ["shortest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_evaluation_view_is_open_clip_s_to_the_bit(size, resize_mode, interpolation):
    import torch
    from open_clip.transform import image_transform

    image = noise(*size)
    spec = ImageSpec(32, MEAN, STD, interpolation, resize_mode)
    theirs = image_transform(
        32, is_train=False, mean=MEAN, std=STD, resize_mode=resize_mode, interpolation=interpolation
    )
    before_tensor = theirs.transforms[:-2]
    for transform in before_tensor:
        image = transform(image)
    assert torch.equal(torch.from_numpy(evaluation_view(noise(*size), spec).copy()), torch.from_numpy(np.array(image)))


@pytest.mark.parametrize("augmentation", ["crop_flip", "crop_flip_jitter"])
def test_training_view_follows_its_generator_alone(augmentation):
    spec = ImageSpec(32, MEAN, STD)
    one, same, other = (
        drawn_view(noise(60, 50), spec, augmentation, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert one.shape == (32, 32, 3)
    assert one.dtype == np.uint8
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(("augmentation", "smallest"), [("crop_flip", (0.45, 0.58)), ("wide_crop_flip", (0.05, 0.2))])
def test_crops_cover_a_share_of_the_area_and_flip_half_of_the_time(augmentation, smallest):
    # Red tells the column, green the row: corners of a view give the crop and the flip.
    columns, rows = np.meshgrid(np.linspace(0, 255, 128), np.linspace(0, 255, 128))
    gradient = Image.fromarray(np.stack([columns, rows, 0 * rows], axis=2).astype(np.uint8))
    spec = ImageSpec(64, MEAN, STD, "bilinear")
    rng = np.random.default_rng(0)
    areas, flips, ratios = [], [], []
    for _ in range(300):
        view = drawn_view(gradient, spec, augmentation, rng).astype(float)
        width, height = view[32, -1, 0] - view[32, 0, 0], view[-1, 32, 1] - view[0, 32, 1]
        areas.append(abs(width) * height / 255**2)
        ratios.append(abs(width) / height)
        flips.append(width < 0)
    assert smallest[0] < min(areas) < smallest[1] and 0.85 < max(areas) <= 1
    assert min(ratios) > 0.7 and max(ratios) < 1.4
    assert 0.4 < np.mean(flips) < 0.6


def test_jitter_changes_brightness():
    grey = Image.new("RGB", (40, 40), (100, 100, 100))
    spec = ImageSpec(32, MEAN, STD)
    rng = np.random.default_rng(0)
    levels = [drawn_view(grey, spec, "crop_flip_jitter", rng).mean() for _ in range(100)]
    assert 55 < min(levels) < 75 and 125 < max(levels) < 145


def test_a_very_long_image_is_cropped_at_its_centre():
    long = noise(400, 10)
    view = drawn_view(long, ImageSpec(10, MEAN, STD, "bilinear"), "crop_flip", np.random.default_rng(0))
    centre = np.asarray(long.crop((193, 0, 206, 10)).resize((10, 10), Image.Resampling.BILINEAR))
    assert np.array_equal(view, centre) or np.array_equal(view[:, ::-1], centre)
