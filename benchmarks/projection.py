"""How long a map of 10,000 samples of 1,024 features takes.

    python benchmarks/projection.py [--quick] [--json]

100 clusters of random features (--quick: 2,000 samples). ``seconds_neighbourhood`` is the PCA and the nearest
neighbours, which both methods and all their settings share; ``seconds_tsne`` and ``seconds_umap`` are a layout on top.
``seconds_first_umap`` is a small one, the first of the process, for which UMAP is compiled.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from ballad.analysis.projection import neighbourhood, project
from benchmarks.timing import argument_parser, report, seconds_of

CLUSTERS, DIM = 100, 1024


def main() -> None:
    arguments = argument_parser(__doc__).parse_args()
    features = clusters(2_000 if arguments.quick else 10_000)
    kept = neighbourhood(features)
    report(
        {
            "seconds_neighbourhood": seconds_of(lambda: neighbourhood(features)),
            "seconds_tsne": seconds_of(lambda: project(kept, "tsne")),
            "seconds_first_umap": seconds_of(lambda: project(features[:100], "umap")),
            "seconds_umap": seconds_of(lambda: project(kept, "umap")),
            "samples": len(features),
        },
        as_json=arguments.json,
    )


def clusters(samples: int) -> np.ndarray:
    """Features float32 [N, d], spread evenly around the centres of the clusters."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(CLUSTERS, DIM))
    return (centres[np.arange(samples) % CLUSTERS] + rng.normal(size=(samples, DIM))).astype(np.float32)


if __name__ == "__main__":
    main()
