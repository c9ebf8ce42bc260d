"""Extraction of features from image files against the image tower's bare forward passes.

    python benchmarks/features.py [--quick] [--json] [--backbone NAME] [--dataset SOURCE] [--images N]

Extraction makes the views and writes float16 features; the bare forward passes get the same views from memory.
``fraction_of_forward`` is the throughput of extraction over that of the forward passes, the median of turns, where
small pictures were decoded once before, as a run does; ``fraction_of_forward_from_files`` the same where extraction
opens and decodes every file. Without a backbone and a dataset: the demo backbone on JPEG files of 48 × 48 pixels.
"""

import sys
import tempfile
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import torch
from PIL import Image

from ballad.data.catalog import load_dataset
from ballad.data.files import ImageFiles
from ballad.data.images import image_batches, to_input
from ballad.data.long_tail import Split
from ballad.data.pixel_cache import decoded_once
from ballad.events import CancelToken, ignore
from ballad.model.backbone import load_backbone
from ballad.sections import BackboneSettings, DatasetSettings
from ballad.stages.compute import FEATURE_BATCH
from ballad.stages.pipeline import find_device
from ballad.training.features import extract_features
from ballad.work.host_memory import keep_freed_memory
from benchmarks.timing import argument_parser, interleaved, median_ratio, report

SIDE = 48
"""Pixels, as the demo has them."""
ROUNDS = 5


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--backbone", default="demo", help="a backbone's name or folder")
    parser.add_argument("--dataset", help="a dataset's name, folder or list; its training split is read")
    parser.add_argument("--images", type=int, help="number of images")
    arguments = parser.parse_args()
    keep_freed_memory()
    quick = 2048 if arguments.backbone == "demo" else 256
    count = arguments.images or (quick if arguments.quick else 4096)
    device = find_device("auto")
    backbone = load_backbone(BackboneSettings(name=arguments.backbone), seed=0).to(device)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        split = (
            load_dataset(DatasetSettings(source=arguments.dataset)).train if arguments.dataset else noise(folder, count)
        )
        split = split.take(np.linspace(0, len(split) - 1, min(count, len(split))).astype(np.int64))
        cached = decoded_once(split, folder / "pixels", on_event=ignore, cancel=CancelToken())
        images = np.arange(len(split))
        batches = [
            pixels
            for pixels, _, _ in image_batches(
                split, backbone.image_spec, np.split(images, images[FEATURE_BATCH::FEATURE_BATCH])
            )
        ]

        def forward() -> None:
            with torch.inference_mode():
                for pixels in batches:
                    backbone.encode_images(to_input(pixels, backbone.image_spec, device)).cpu()

        def extract(source: Split) -> None:
            extract_features(
                backbone,
                source,
                images,
                folder,
                augmentation="none",
                seed=0,
                batch_size=FEATURE_BATCH,
                device=device,
                workers=0,
                on_event=ignore,
                cancel=CancelToken(),
            )

        forward()
        bare, extraction = interleaved(forward, partial(extract, cached), rounds=ROUNDS)
        bare_again, from_files = interleaved(forward, partial(extract, split), rounds=ROUNDS)
    report(
        {
            "fraction_of_forward": median_ratio(bare, extraction),
            "fraction_of_forward_from_files": median_ratio(bare_again, from_files),
            "images_per_second": len(split) / min(extraction),
            "images": len(split),
            "backbone": backbone.name,
            "device": str(device),
            "threads": torch.get_num_threads(),
        },
        as_json=arguments.json,
    )


def noise(folder: Path, count: int) -> Split:
    """JPEG files of SIDE × SIDE pixels with noise on a gradient."""
    rng = np.random.default_rng(0)
    gradient = np.linspace(40, 200, SIDE)[None, :, None]
    names = [f"{number}.jpg" for number in range(count)]
    for name in names:
        pixels = gradient + rng.normal(0, 20, (SIDE, SIDE, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name)
    return Split("train", np.zeros(count, dtype=np.int64), paths=ImageFiles.find(folder, names))


if __name__ == "__main__":
    main()
