"""Eleven values of λ trained together against one of them trained alone.

    python benchmarks/lambda_sweep.py [--quick] [--json]

Features and classes as in ImageNet-LT, one epoch (--quick: 5 values, 4 steps), in turns with the single run.
``ratio_to_one_run`` is what the sweep costs in single runs; on a CPU, where a matrix product gains nothing from
being batched, the limit is the number of values. ``max_difference`` is the largest distance of a weight that was
trained in the sweep to the same weight trained alone.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch

from ballad.work.host_memory import keep_freed_memory
from benchmarks.adapter_problem import AdapterProblem, imagenet_lt_counts
from benchmarks.timing import argument_parser, interleaved, median_ratio, report


def main() -> None:
    arguments = argument_parser(__doc__).parse_args()
    keep_freed_memory()
    values, images, rounds = (5, 2048, 3) if arguments.quick else (11, 115_846, 3)
    problem = AdapterProblem.random(imagenet_lt_counts(images=images))
    factors = [number / (values - 1) for number in range(values)]
    sweep = [problem.settings(epochs=1, residual_factor=factor) for factor in factors]
    middle = sweep[values // 2]

    def train_sweep() -> list[dict[str, torch.Tensor]]:
        trained = [adapter.state for adapter in problem.train(sweep)]
        problem.synchronize()
        return trained

    def train_one() -> dict[str, torch.Tensor]:
        (trained,) = problem.train([middle])
        problem.synchronize()
        return trained.state

    alone, together = train_one(), train_sweep()[values // 2]
    of_sweep, of_one = interleaved(train_sweep, train_one, rounds=rounds)
    ratio = median_ratio(of_sweep, of_one)
    report(
        {
            "ratio_to_one_run": ratio,
            "values": values,
            "ratio_per_value": ratio / values,
            "max_difference": max(float((alone[name] - together[name]).abs().max()) for name in alone),
            "seconds_of_sweep": min(of_sweep),
            "seconds_of_one_run": min(of_one),
            "device": str(problem.device),
            "threads": torch.get_num_threads(),
        },
        as_json=arguments.json,
    )


if __name__ == "__main__":
    main()
