import numpy as np
import pytest
import torch
from PIL import Image

from ballad.data.device_views import evaluation_views, training_views, views_on_device
from ballad.data.epoch_views import EpochViews
from ballad.data.images import image_batches
from ballad.data.long_tail import Split
from ballad.data.views import Draw, ImageSpec, evaluation_view, training_view

CPU = torch.device("cpu")


def pictures(height, width, count=16):
    """Smooth pictures with an edge, as photographs have; noise would test the clipping of overshoots instead."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [
        [127 + 90 * np.sin(rows / rng.uniform(3, 9)) * np.cos(columns / rng.uniform(3, 9)) for _ in range(3)]
        for _ in range(count)
    ]
    pixels = np.stack([np.stack(channels, axis=2) for channels in waves]).astype(np.uint8)
    pixels[:, :, width // 2] = 255
    return pixels


SPECS = [
    ImageSpec(24, (0.5,) * 3, (0.5,) * 3, interpolation, resize_mode)
    for interpolation in ("bicubic", "bilinear")
    for resize_mode in ("shortest", "squash")
]


def assert_same_views(ours, theirs):
    difference = np.abs(ours.astype(int) - theirs)
    assert difference.max() <= 8 and difference.mean() < 0.2


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.interpolation}-{spec.resize_mode}")
@pytest.mark.parametrize("size", [(24, 24), (16, 16), (40, 40), (20, 33), (50, 31)])
def test_plain_views_are_pillow_s(spec, size):
    pixels = pictures(*size)
    theirs = np.stack([evaluation_view(Image.fromarray(picture), spec) for picture in pixels])
    assert_same_views(evaluation_views(torch.from_numpy(pixels), spec).numpy(), theirs)


@pytest.mark.parametrize("augmentation", ["crop_flip", "crop_flip_jitter"])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.interpolation}-{spec.resize_mode}")
@pytest.mark.parametrize("size", [(24, 24), (16, 16), (40, 40), (20, 33)])
def test_training_views_are_pillow_s_of_the_same_draws(augmentation, spec, size):
    pixels = pictures(*size)
    height, width = size
    draws = [Draw.of(width, height, augmentation, np.random.default_rng(seed)) for seed in range(len(pixels))]
    theirs = np.stack([training_view(Image.fromarray(p), spec, draw) for p, draw in zip(pixels, draws, strict=True)])
    assert_same_views(training_views(torch.from_numpy(pixels), spec, draws).numpy(), theirs)


@pytest.mark.parametrize("augmentation", ["none", "crop_flip_jitter"])
def test_an_epoch_on_the_device_is_the_epoch_of_the_host(augmentation):
    spec = SPECS[0]
    split = Split("train", np.arange(16) % 2, pixels=pictures(20, 20))
    batches = [np.array([3, 1, 4, 1]), np.array([5, 9]), np.array([2, 6, 5])]
    views = EpochViews.of(split, spec, batches, augmentation, seed=7, epoch=2)
    on_device = list(views_on_device(views, range(1, 3), CPU))
    host = image_batches(split, spec, batches, augmentation=augmentation, seed=7, epoch=2, first_batch=1)
    for ours, (theirs, _, _) in zip(on_device, host, strict=True):
        assert ours.dtype == torch.uint8 and ours.shape == theirs.shape
        assert_same_views(ours.numpy(), theirs.numpy())


def test_pixels_become_views_on_the_gpu(gpu):
    split = Split("train", np.arange(16) % 2, pixels=pictures(20, 20))
    how = {"augmentation": "crop_flip", "seed": 7}
    ((ours, _, _),) = image_batches(split, SPECS[0], [np.arange(8)], device=gpu, **how)
    ((theirs, _, _),) = image_batches(split, SPECS[0], [np.arange(8)], **how)
    assert ours.device == gpu
    assert_same_views(ours.cpu().numpy(), theirs.numpy())
