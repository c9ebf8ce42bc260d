"""Pretrain the demo's backbone: a small CLIP on captioned studio pictures, without any network or download.

    python scripts/pretrain_demo_backbone.py            # about 10 minutes on one core

Writes an open_clip ``local-dir:`` folder: the model's configuration and half-precision safetensors.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from ballad.data.demo.attributes import Thing, all_things
from ballad.data.demo.rendering import IMAGE_SIZE, STUDIO, render
from ballad.model.source import DEMO_FOLDER

MODEL = {
    "embed_dim": 128,
    "vision_cfg": {"image_size": IMAGE_SIZE, "layers": [1, 1, 1, 1], "width": 16, "head_width": 64},
    # CLIP's vocabulary has 49,408 words: the width of the text tower decides the size of the file.
    "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 48, "heads": 4, "layers": 2},
}
PREPROCESSING = {
    "size": [IMAGE_SIZE, IMAGE_SIZE], "mode": "RGB", "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25],
    "interpolation": "bicubic", "resize_mode": "shortest", "fill_color": 0,
}  # fmt: skip
CAPTIONS = (
    "a photo of a {}.", "a photo of the {}.", "a picture of a {}.", "a bad photo of the {}.", "a drawing of a {}.",
    "art of the {}.", "a photo of the small {}.", "a photo of the large {}.", "itap of a {}.", "a {}.", "{}",
)  # fmt: skip
FEATURE_NORM = 10.0
"""Mean length of an image feature: the adapter of Eq. 5 sees features before they are normalised."""


def pretrain(pictures_per_thing: int, epochs: int, batch_size: int, learning_rate: float, seed: int) -> open_clip.CLIP:
    """A CLIP trained with the symmetric contrastive loss; pictures of one thing are not each other's negatives."""
    torch.manual_seed(seed)
    things = all_things()
    pixels, labels = studio_pictures(things, pictures_per_thing, seed)
    model = open_clip.CLIP(**MODEL).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.05)
    steps = epochs * (len(labels) // batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps, pct_start=0.1)
    captions = tokenized_captions(things)

    rng, started = np.random.default_rng(seed), time.monotonic()
    for epoch in range(epochs):
        losses = []
        for batch in np.array_split(rng.permutation(len(labels)), len(labels) // batch_size):
            images = to_input(pixels[batch], flip=rng.random() < 0.5)
            thing = torch.from_numpy(labels[batch])
            loss = contrastive_loss(model, images, captions[rng.integers(len(CAPTIONS)), thing], thing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            model.logit_scale.data.clamp_(max=np.log(100))
            losses.append(loss.item())
        scale, seconds = model.logit_scale.exp().item(), time.monotonic() - started
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, scale {scale:.1f}, {seconds:.0f} s", flush=True)
    set_feature_norm(model, to_input(pixels[:: len(pixels) // 1024], flip=False))
    return model.eval()


def studio_pictures(things: list[Thing], per_thing: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """``per_thing`` pictures of each thing, uint8 [N, 48, 48, 3], and which thing each shows, int64 [N]."""
    labels = np.tile(np.arange(len(things)), per_thing)
    return render([things[label] for label in labels], STUDIO, np.random.default_rng(seed)), labels


def tokenized_captions(things: list[Thing]) -> torch.Tensor:
    """Tokens of every caption of every thing, int64 [captions, things, L]."""
    tokenize = open_clip.SimpleTokenizer(context_length=MODEL["text_cfg"]["context_length"])
    return torch.stack([tokenize([caption.format(thing.name) for thing in things]) for caption in CAPTIONS])


def to_input(pixels: NDArray[np.uint8], flip: bool) -> torch.Tensor:
    """uint8 [B, H, W, 3] -> normalised float32 [B, 3, H, W]."""
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(255)
    mean, std = (torch.tensor(PREPROCESSING[key])[:, None, None] for key in ("mean", "std"))
    images = (images - mean) / std
    return images.flip(-1) if flip else images


def contrastive_loss(
    model: open_clip.CLIP, images: torch.Tensor, texts: torch.Tensor, thing: torch.Tensor
) -> torch.Tensor:
    """Mean of image-to-text and text-to-image cross-entropy; probability is shared by the pairs of one thing."""
    similarities = model.encode_image(images, normalize=True) @ model.encode_text(texts, normalize=True).T
    logits = model.logit_scale.exp() * similarities
    same = (thing[:, None] == thing).float()
    target = same / same.sum(1, keepdim=True)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


@torch.no_grad()
def set_feature_norm(model: open_clip.CLIP, images: torch.Tensor) -> None:
    """Scale the last projection so that image features are FEATURE_NORM long; their directions do not change."""
    model.eval()
    factor = FEATURE_NORM / model.encode_image(images).norm(dim=1).mean()
    model.visual.attnpool.c_proj.weight.mul_(factor)
    model.visual.attnpool.c_proj.bias.mul_(factor)


def save(model: open_clip.CLIP, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    unfinished = folder / "open_clip_model.safetensors.tmp"
    save_file(weights, unfinished)
    os.replace(unfinished, folder / "open_clip_model.safetensors")
    config = {"model_cfg": MODEL, "preprocess_cfg": PREPROCESSING}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=DEMO_FOLDER)
    parser.add_argument("--pictures-per-thing", type=int, default=80)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = pretrain(
        arguments.pictures_per_thing, arguments.epochs, arguments.batch_size, arguments.learning_rate, arguments.seed
    )
    save(model, arguments.output)


if __name__ == "__main__":
    main()
