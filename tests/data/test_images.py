import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

import ballad
from ballad.data.files import ImageFiles
from ballad.data.images import ImageSpec, evaluation_view, image_batches, to_input
from ballad.data.long_tail import Split
from ballad.errors import Cancelled, DataError
from ballad.events import CancelToken

PROJECT = str(Path(ballad.__file__).parent.parent)
SPEC = ImageSpec(16, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
BATCHES = [np.array([3, 1, 4]), np.array([0, 5]), np.array([2, 2, 6]), np.array([7])]


@pytest.fixture
def split(tmp_path, write_picture):
    names = [f"{number}.jpg" for number in range(8)]
    for name in names:
        write_picture(tmp_path / name)
    return Split("train", np.arange(8) % 3, ImageFiles.find(tmp_path, names))


def decoded(split, **how):
    return list(image_batches(split, SPEC, BATCHES, **how))


def decoding_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_batches_are_the_evaluation_views_in_order(split):
    for (pixels, labels, indices), batch in zip(decoded(split), BATCHES, strict=True):
        assert np.array_equal(indices, batch)
        assert labels.tolist() == (batch % 3).tolist()
        expected = [evaluation_view(split.image(index), SPEC) for index in batch]
        assert np.array_equal(pixels.numpy(), np.stack(expected))


@pytest.mark.parametrize("workers", [1, 3, 9])
def test_processes_change_no_pixel(split, workers):
    how = {"augmentation": "crop_flip_jitter", "seed": 3, "epoch": 1}
    for one, other in zip(decoded(split, **how), decoded(split, workers=workers, **how), strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])


@pytest.mark.parametrize("workers", [0, 2])
def test_a_resumed_epoch_sees_the_same_pixels(split, workers):
    whole = decoded(split, augmentation="crop_flip")
    rest = decoded(split, augmentation="crop_flip", first_batch=2, workers=workers)
    assert [batch[2].tolist() for batch in rest] == [[2, 2, 6], [7]]
    assert all(torch.equal(one[0], other[0]) for one, other in zip(whole[2:], rest, strict=True))


def test_randomness_differs_by_position_epoch_and_seed(split):
    views = decoded(split, augmentation="crop_flip")[2][0]
    assert not torch.equal(views[0], views[1])  # the same image twice in a batch
    assert not torch.equal(views, decoded(split, augmentation="crop_flip", epoch=1)[2][0])
    assert not torch.equal(views, decoded(split, augmentation="crop_flip", seed=1)[2][0])


def test_pixels_need_no_files():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), dtype=np.uint8)
    split = Split("train", np.zeros(8, dtype=np.int64), pixels=pixels)
    assert np.array_equal(decoded(split)[0][0].numpy(), pixels[[3, 1, 4]])


@pytest.mark.parametrize("workers", [0, 2])
def test_an_unreadable_image_is_named(split, workers):
    split.paths[5].write_bytes(b"broken")
    with pytest.raises(
        DataError, match=r"^The image .*5.jpg cannot be read: [^\n]*\. Set dataset.skip_unreadable [^\n]*$"
    ):
        decoded(split, workers=workers)
    assert not decoding_threads()


@pytest.mark.parametrize("workers", [0, 2])
def test_cancel_stops_before_the_next_batch(split, workers):
    token = CancelToken()
    batches = image_batches(split, SPEC, BATCHES, workers=workers, cancel=token)
    next(batches)
    token.cancel()
    with pytest.raises(Cancelled):
        next(batches)
    assert not decoding_threads()


def test_closing_ends_the_processes(split, monkeypatch):
    started = []
    popen = subprocess.Popen

    def remember(*arguments, **options):
        started.append(popen(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", remember)
    batches = image_batches(split, SPEC, BATCHES, workers=2)
    next(batches)
    assert len(started) == 2
    batches.close()
    assert all(process.returncode is not None for process in started)
    assert not decoding_threads()


def test_no_batches_left(split):
    assert list(image_batches(split, SPEC, BATCHES, first_batch=4, workers=2)) == []
    assert list(image_batches(split, SPEC, [])) == []


def test_workers_do_not_run_the_caller_s_script_again(split, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np\n"
        "from ballad.data.images import ImageSpec, image_batches\n"
        "from ballad.data.long_tail import Split\n"
        "print('started')\n"
        "split = Split('train', np.zeros(2, dtype=np.int64), pixels=np.zeros((2, 4, 4, 3), dtype=np.uint8))\n"
        "spec = ImageSpec(4, (0.5,) * 3, (0.5,) * 3)\n"
        "print(sum(len(batch[0]) for batch in image_batches(split, spec, [np.array([0]), np.array([1])], workers=2)))\n"
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": PROJECT}
    )
    assert (done.stdout, done.stderr) == ("started\n2\n", "")


def test_to_input_normalises_and_is_channels_last():
    pixels = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 1, 1, 3).expand(2, 16, 16, 3).contiguous()
    values = to_input(pixels, SPEC, "cpu")
    assert values.shape == (2, 3, 16, 16)
    assert values.is_contiguous(memory_format=torch.channels_last)
    assert values[0, :, 0, 0].tolist() == pytest.approx([-2.5, (0.2 - 0.4) / 0.3, (1 - 0.3) / 0.4])


def test_to_input_is_torchvision_s_normalisation():
    from torchvision.transforms import Compose, Normalize, ToTensor

    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    theirs = Compose([ToTensor(), Normalize(SPEC.mean, SPEC.std)])(pixels)
    assert torch.equal(to_input(torch.from_numpy(pixels)[None], SPEC, "cpu")[0], theirs)
