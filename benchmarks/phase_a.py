"""A step of Phase A against the straightforward loop on the same batch.

    python benchmarks/phase_a.py [--quick] [--json] [--backbone NAME] [--dataset SOURCE] [--image-size S] [--classes K]
                                 [--batch-size B] [--precision fp32|bf16] [--compile]

The straightforward loop encodes every prompt at the text tower's full length, with images and weights in contiguous
format, in fp32. Both train from the same weights on the same batches, in turns. ``speedup`` is the median over the
steps; ``loss_difference`` is the largest difference of the two losses after any number of steps. ``--precision`` and
``--compile`` are for our step alone.

Without a backbone: RN50 of random weights. Without a dataset: random pixels and the class names of ImageNet. 250
classes with a batch of 16, which is 1,000 to 64 in memory that a small machine has (for the texts of 1,000 classes
the straightforward loop keeps tens of GB), with --quick 32 and a batch of 2. The proportion decides, since the text is
encoded once per step: ``--classes 8 --batch-size 4`` is about the paper's, 1,000 to 512, where there is less to save.
"""

import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES
from torch import Tensor

from ballad.data.catalog import load_dataset
from ballad.data.images import image_batches, to_input
from ballad.data.long_tail import LongTailDataset, Split
from ballad.experiment import Experiment
from ballad.model.backbone import Backbone, load_backbone
from ballad.model.prompts import class_prompts
from ballad.sections import DatasetSettings
from ballad.stages.pipeline import find_device
from ballad.training.gradients import accumulate_gradients
from ballad.training.optimizer import tower_optimizer
from ballad.training.tuned_model import TunedModel
from ballad.work.host_memory import keep_freed_memory
from benchmarks.timing import argument_parser, interleaved, median_ratio, report

DEVICE = find_device("auto")
Step = Callable[[], float]
"""Trains on a batch and returns its loss."""


def main() -> None:
    arguments = parse_arguments()
    keep_freed_memory()
    experiment = Experiment().with_values(
        {
            "backbone.name": arguments.backbone or "RN50",
            "backbone.image_tower": "pretrained" if arguments.backbone else "random",
            "backbone.text_tower": "pretrained" if arguments.backbone else "random",
            "backbone.image_size": arguments.image_size,
            "phase_a.batch_size": arguments.batch_size,
            "phase_a.precision": arguments.precision,
            "runtime.compile": arguments.compile,
        }
    )
    backbone = load_backbone(experiment.backbone, seed=0).to(DEVICE)
    if arguments.dataset:
        dataset = load_dataset(DatasetSettings(source=arguments.dataset))
    else:
        dataset = random_pixels(backbone.image_spec.size)
    dataset = with_classes(dataset, arguments.classes)
    pixels, labels = batch_of(dataset, backbone, arguments.batch_size)

    plain = straightforward_step(backbone, dataset, experiment, pixels, labels)
    ours = lean_step(backbone, dataset, experiment, pixels, labels)
    losses: dict[Step, list[float]] = {plain: [plain()], ours: [ours()]}
    seconds = interleaved(
        lambda: losses[plain].append(plain()), lambda: losses[ours].append(ours()), rounds=arguments.steps
    )
    report(
        {
            "speedup": median_ratio(*seconds),
            "loss_difference": max(abs(a - b) for a, b in zip(losses[plain], losses[ours], strict=True)),
            "losses": losses[ours],
            "seconds_straightforward": min(seconds[0]),
            "seconds_of_step": min(seconds[1]),
            "backbone": backbone.name,
            "dataset": dataset.title,
            "classes": dataset.num_classes,
            "batch_size": len(labels),
            "precision": arguments.precision,
            "compiled": arguments.compile,
            "device": str(DEVICE),
            "threads": torch.get_num_threads(),
        },
        as_json=arguments.json,
    )


def parse_arguments() -> Namespace:
    parser = argument_parser(__doc__)
    parser.add_argument("--backbone", help="a backbone's name or folder")
    parser.add_argument("--dataset", help="a dataset's name, folder or list")
    parser.add_argument("--classes", type=int, help="number of classes")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--image-size", type=int, help="pixels; the backbone's own where it is left out")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--compile", action="store_true", help="compile our image tower")
    parser.add_argument("--steps", type=int, default=2)
    arguments = parser.parse_args()
    arguments.classes = arguments.classes or (32 if arguments.quick else 250)
    arguments.batch_size = arguments.batch_size or (2 if arguments.quick else 16)
    return arguments


# The two steps


def straightforward_step(
    backbone: Backbone, dataset: LongTailDataset, experiment: Experiment, pixels: Tensor, labels: Tensor
) -> Step:
    """The textbook loop on open_clip's own model with the backbone's weights."""
    settings = experiment.backbone
    name = {"RN50": "RN50-quickgelu"}.get(settings.name, settings.name)
    name = f"local-dir:{name}" if Path(name).is_dir() else name
    model = open_clip.create_model(name, load_weights=False, force_image_size=settings.image_size).eval().to(DEVICE)
    model.load_state_dict(backbone.tower_state(), strict=False)
    model.logit_scale.requires_grad_(False)
    prompts = class_prompts(dataset.class_names, experiment.prompts, seed=0)
    tokens = open_clip.get_tokenizer(name)([prompt for (prompt,) in prompts]).to(DEVICE)
    inputs = to_input(pixels, backbone.image_spec, DEVICE).contiguous()
    optimizer = torch.optim.SGD(
        [parameter for parameter in model.parameters() if parameter.requires_grad],
        lr=experiment.phase_a.learning_rate,
        momentum=experiment.optimizer.momentum,
        weight_decay=experiment.optimizer.weight_decay,
    )

    def step() -> float:
        optimizer.zero_grad()
        text = F.normalize(model.encode_text(tokens), dim=-1)
        images = F.normalize(model.encode_image(inputs), dim=-1)
        loss = F.cross_entropy(backbone.logit_scale * images @ text.T, labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def lean_step(
    backbone: Backbone, dataset: LongTailDataset, experiment: Experiment, pixels: Tensor, labels: Tensor
) -> Step:
    """The step of :mod:`ballad.training.phase_a`."""
    settings = experiment.phase_a
    model = TunedModel(backbone, dataset, experiment, joint=False, device=DEVICE)
    groups = [{"params": list(model.towers.values()), "lr": settings.learning_rate}]
    optimizer = tower_optimizer(groups, experiment.optimizer)

    def step() -> float:
        optimizer.zero_grad()
        loss = accumulate_gradients(model, pixels, labels, settings.objective, settings.batch_size)
        optimizer.step()
        return loss

    return step


# What they train on


def random_pixels(size: int) -> LongTailDataset:
    """One random picture for each class of ImageNet."""
    names = tuple(IMAGENET_CLASSNAMES)
    pixels = np.random.default_rng(0).integers(0, 256, (len(names), size, size, 3), dtype=np.uint8)
    split = Split("train", np.arange(len(names)), pixels=pixels)
    return LongTailDataset("random", "random pixels", names, train=split, val=None, test=split)


def with_classes(dataset: LongTailDataset, count: int) -> LongTailDataset:
    """``count`` of the classes, from the shortest name to the longest, so that the longest prompt stays."""
    by_length = np.argsort([len(name) for name in dataset.class_names], kind="stable")
    kept = by_length[np.linspace(0, len(by_length) - 1, min(count, len(by_length))).astype(np.int64)]
    place = np.full(dataset.num_classes, -1)
    place[kept] = np.arange(len(kept))
    train = dataset.train.take(np.flatnonzero(place[dataset.train.labels] >= 0))
    train = train.take(np.arange(len(train)), labels=place[train.labels])
    names = tuple(dataset.class_names[k] for k in kept)
    return LongTailDataset(dataset.name, dataset.title, names, train=train, val=None, test=train)


def batch_of(dataset: LongTailDataset, backbone: Backbone, size: int) -> tuple[Tensor, Tensor]:
    """Plain views uint8 ``[B, S, S, 3]`` and labels ``[B]`` of images spread over the training split."""
    drawn = np.linspace(0, len(dataset.train) - 1, size).astype(np.int64)
    pixels, labels, _ = next(iter(image_batches(dataset.train, backbone.image_spec, [drawn])))
    return pixels, labels.to(DEVICE)


if __name__ == "__main__":
    main()
