"""A whole Phase B against its own matrix products alone.

    python benchmarks/phase_b.py [--quick] [--json]

The size of ImageNet-LT on RN50: 115,846 features of 1,024 numbers, 1,000 classes, batch 512, 10 epochs (--quick:
4,096 features, so that an epoch has 8 steps; the matrices stay as large). After each epoch the products of as many
steps are timed alone. ``ratio_to_gemm`` is the median over the epochs, ``seconds`` the training's sum.
"""

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch

from ballad.events import EpochEvaluated, Event
from ballad.work.host_memory import keep_freed_memory
from benchmarks.adapter_problem import AdapterProblem, imagenet_lt_counts
from benchmarks.timing import argument_parser, median_ratio, report, seconds_of


def matrix_products(batch: int, dim: int, classes: int, device: torch.device) -> list[tuple[torch.Tensor, ...]]:
    """Left, right and result of each product of a step: two forward, and the two of their gradients."""
    shapes = [(batch, dim, dim), (batch, dim, classes), (batch, classes, dim), (dim, batch, dim)]
    return [
        tuple(torch.rand(size, device=device) for size in ((rows, inner), (inner, columns), (rows, columns)))
        for rows, inner, columns in shapes
    ]


def main() -> None:
    arguments = argument_parser(__doc__).parse_args()
    keep_freed_memory()
    problem = AdapterProblem.random(imagenet_lt_counts(images=4096 if arguments.quick else 115_846))
    settings = problem.settings()
    products = matrix_products(settings.batch_size, problem.dim, problem.classes, problem.device)

    def products_of_an_epoch() -> None:
        for _ in range(-(-len(problem.labels) // settings.batch_size)):
            for left, right, out in products:
                torch.mm(left, right, out=out)
        problem.synchronize()

    epochs: list[float] = []
    products_alone: list[float] = []
    resumed = 0.0

    def time_epoch(event: Event) -> None:
        nonlocal resumed
        if isinstance(event, EpochEvaluated):
            problem.synchronize()
            epochs.append(time.perf_counter() - resumed)
            products_alone.append(seconds_of(products_of_an_epoch))
            resumed = time.perf_counter()

    products_of_an_epoch()
    resumed = time.perf_counter()
    problem.train([settings], on_event=time_epoch)
    report(
        {
            "ratio_to_gemm": median_ratio(epochs, products_alone),
            "seconds": sum(epochs),
            "seconds_an_epoch": statistics.median(epochs),
            "device": str(problem.device),
            "threads": torch.get_num_threads(),
        },
        as_json=arguments.json,
    )


if __name__ == "__main__":
    main()
