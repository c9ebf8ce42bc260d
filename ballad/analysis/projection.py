"""Features on a plane: t-SNE or UMAP, for pictures such as the paper's Figure 6.

The steps are PCA to 50 dimensions, the k nearest neighbours, then the layout. The first two are the same for both
methods and all their settings, so they are one object, :class:`Neighbourhood`, that is computed once and can be kept.
Distances in a layout mean little: :mod:`ballad.analysis.separation` measures in the original space.
"""

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, assert_never
from zipfile import BadZipFile

import numpy as np

from ballad.errors import RunError
from ballad.events import CancelToken, EventSink, Progress, ignore
from ballad.whole_files import write_whole

Method = Literal["tsne", "umap"]

PCA_DIMENSIONS = 50
NEIGHBOURS = 90
"""Neighbours kept per sample: t-SNE needs three times its perplexity, UMAP its n_neighbors."""
FEWEST_SAMPLES = 5
UMAP_SPREAD = 10.0
"""Standard deviation of the start's first component; UMAP's own starts have about this size."""
ROUNDING = 1e-6
"""Directions in float32 that differ by less are the same."""
TSNE_ITERATIONS = 250 + 500
"""openTSNE's defaults, with and without early exaggeration."""
TSNE_WATCHED_EVERY = 25
TSNE_FFT_FROM = 3000
"""Samples from which the interpolated gradient beats Barnes-Hut: measured, 16 against 10 CPU seconds for 2,000 samples,
2.4 against 5.2 for 150 iterations on 4,000."""


@dataclass(frozen=True)
class Neighbourhood:
    """The nearest neighbours of each sample in the principal subspace of the normalised features.

    reduced: float32 [N, ≤ 50]; indices: int32 [N, k], nearest first, without itself; distances: float32 [N, k].
    """

    reduced: np.ndarray
    indices: np.ndarray
    distances: np.ndarray

    def save(self, path: Path) -> None:
        """Keep it as ``.npz``, for other methods and settings; the file appears under its name only when whole."""

        def write(temporary: Path) -> None:
            # Given only a name, numpy would add ".npz" to it.
            with temporary.open("wb") as file:
                np.savez(file, reduced=self.reduced, indices=self.indices, distances=self.distances)

        write_whole(path, write)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote; Raises RunError for a file that is missing or damaged."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(arrays["reduced"], arrays["indices"], arrays["distances"])
        except (OSError, KeyError, ValueError, BadZipFile) as error:
            raise RunError(f"{path} holds no neighbourhood; compute the projection again to write it.") from error


def neighbourhood(features: np.ndarray, *, cancel: CancelToken | None = None) -> Neighbourhood:
    """PCA and exact k-nearest neighbours of features [N, d], normalised here.

    Raises RunError for fewer than 5 samples, and for samples that are all alike, as a collapsed adapter leaves them.
    """
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NearestNeighbors

    if len(features) < FEWEST_SAMPLES:
        raise RunError(f"A projection needs at least {FEWEST_SAMPLES} images, but only {len(features)} were chosen.")
    directions = unit_rows(features)
    if np.ptp(directions, axis=0).max() < ROUNDING:
        raise RunError("The chosen images all have the same features in this model, so there is nothing to project.")
    dimensions = min(PCA_DIMENSIONS, features.shape[1], len(features) - 1)
    # An eigendecomposition of the d × d covariance is exact, needs no seed, and is the fastest for N ≫ d.
    reduced = PCA(dimensions, svd_solver="covariance_eigh").fit_transform(directions).astype(np.float32)
    if cancel:
        cancel.check()
    search = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(features) - 1), algorithm="brute").fit(reduced)
    distances, indices = search.kneighbors()
    return Neighbourhood(reduced, indices.astype(np.int32), distances.astype(np.float32))


def project(
    features: np.ndarray | Neighbourhood,
    method: Method = "tsne",
    *,
    seed: int = 0,
    perplexity: float = 30,
    n_neighbors: int = 15,
    min_dist: float = 0.1,
    on_event: EventSink = ignore,
    cancel: CancelToken | None = None,
) -> np.ndarray:
    """Lay features [N, d], or a neighbourhood that was kept, out on a plane: float32 [N, 2].

    perplexity (at most 30) belongs to t-SNE, n_neighbors (at most 90) and min_dist to UMAP; the first two are lowered
    where there are too few samples. Both layouts start from the first two principal components, so maps of the same
    features look alike. The same seed gives the same map on the same machine.
    """
    neighbours = features if isinstance(features, Neighbourhood) else neighbourhood(features, cancel=cancel)
    if cancel:
        cancel.check()
    match method:
        case "umap":
            layout = _umap(neighbours, seed, n_neighbors, min_dist)
            if cancel:
                cancel.check()
        case "tsne":
            layout = _tsne(neighbours, seed, perplexity, on_event, cancel)
        case _:
            assert_never(method)
    return layout.astype(np.float32)


def align(layout: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Turn, mirror, scale and move a layout [N, 2] to lie closest to another of the same samples (Procrustes)."""
    from scipy.linalg import orthogonal_procrustes

    centred, target = layout - layout.mean(axis=0), reference - reference.mean(axis=0)
    rotation, scale = orthogonal_procrustes(centred, target)
    aligned = centred @ rotation * (scale / (centred**2).sum()) + reference.mean(axis=0)
    return aligned.astype(np.float32)


def place_class_texts(
    layout: np.ndarray, features: np.ndarray, text_features: np.ndarray, neighbours: int = 10
) -> np.ndarray:
    """Where the class texts [K, d] belong on a map of images: the median place of their most similar images, [K, 2].

    Texts are not laid out with the images: the two modalities lie apart in the joint space, and so they would here.
    """
    similarity = unit_rows(text_features) @ unit_rows(features).T  # [K, N]
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :neighbours]
    return np.median(layout[nearest], axis=1).astype(np.float32)


def subsample(labels: np.ndarray, groups: Sequence[str], limit: int, seed: int = 0) -> np.ndarray:
    """At most ``limit`` samples for a readable map: their positions, ascending, int64 [≤ limit].

    labels: [N]; groups: shot group of each class. Few-shot samples come first, but take more than half of the places
    only if the others leave some free; within each half, classes share evenly.
    """
    if len(labels) <= limit:
        return np.arange(len(labels))
    is_few = np.asarray(groups)[labels] == "few"
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    few, others = shuffled[is_few[shuffled]], shuffled[~is_few[shuffled]]
    few_places = min(len(few), max(limit // 2, limit - len(others)))
    chosen = [_shared_evenly(few, labels, few_places), _shared_evenly(others, labels, limit - few_places)]
    return np.sort(np.concatenate(chosen))


def unit_rows(features: np.ndarray) -> np.ndarray:
    """Rows of length 1, float32 [N, d]; a row of zeros stays."""
    features = np.asarray(features, np.float32)
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), np.finfo(np.float32).tiny)


def _tsne(
    neighbours: Neighbourhood, seed: int, perplexity: float, on_event: EventSink, cancel: CancelToken | None
) -> np.ndarray:
    from openTSNE import TSNE
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    steps = itertools.count(1)

    def watch(iteration: int, error: float, layout: np.ndarray) -> bool:
        if cancel:
            cancel.check()
        step = TSNE_WATCHED_EVERY * next(steps)
        on_event(Progress("projection", epoch=1, epochs=1, step=step, steps=TSNE_ITERATIONS, loss=float(error)))
        return False  # True would stop the optimisation

    k = neighbours.indices.shape[1]
    perplexity = min(perplexity, k / 3)
    k = min(k, int(3 * perplexity))
    nearest = PrecomputedNeighbors(neighbours.indices[:, :k], neighbours.distances[:, :k].astype(np.float64))
    # One thread: its many short parallel sections crawl where training uses the other cores.
    tsne = TSNE(
        random_state=seed,
        negative_gradient_method="fft" if len(neighbours.reduced) > TSNE_FFT_FROM else "bh",
        callbacks=watch,
        callbacks_every_iters=TSNE_WATCHED_EVERY,
    )
    layout = tsne.fit(
        affinities=PerplexityBasedNN(knn_index=nearest, perplexity=perplexity),
        initialization=_start(neighbours, spread=1e-4),
    )
    return np.asarray(layout)


def _umap(neighbours: Neighbourhood, seed: int, n_neighbors: int, min_dist: float) -> np.ndarray:
    from umap import UMAP

    # UMAP counts a sample as its own first neighbour, and wants one sample more than neighbours.
    k = min(n_neighbors - 1, neighbours.indices.shape[1], len(neighbours.reduced) - 2)
    own = np.arange(len(neighbours.reduced), dtype=np.int32)[:, None]
    indices = np.hstack([own, neighbours.indices[:, :k]])
    distances = np.hstack([np.zeros_like(own, np.float32), neighbours.distances[:, :k]])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="precomputed_knn")  # no new samples are ever transformed
        mapper = UMAP(
            n_neighbors=k + 1,
            min_dist=min_dist,
            init=_spread_out(_start(neighbours, spread=UMAP_SPREAD), seed),
            precomputed_knn=(indices, distances, None),
            random_state=seed,
            n_jobs=1,
        )
        return mapper.fit_transform(neighbours.reduced)


def _start(neighbours: Neighbourhood, spread: float) -> np.ndarray:
    """The first two principal components, the first with the given standard deviation."""
    first_two = neighbours.reduced[:, :2].astype(np.float64)
    return first_two * (spread / max(first_two[:, 0].std(), np.finfo(np.float32).tiny))


def _spread_out(start: np.ndarray, seed: int) -> np.ndarray:
    """The start [N, 2] with noise in a direction that has no extent, as between two points: UMAP divides by it."""
    flat = np.ptp(start, axis=0) < ROUNDING * UMAP_SPREAD
    noise = np.random.default_rng(seed).normal(scale=UMAP_SPREAD / 1000, size=start.shape)
    return np.where(flat, noise, start)


def _shared_evenly(samples: np.ndarray, labels: np.ndarray, places: int) -> np.ndarray:
    """Each class hands over its first sample, then its second, and so on until the places are taken."""
    turn = _occurrence(labels[samples])
    return samples[np.argsort(turn, kind="stable")][:places]


def _occurrence(labels: np.ndarray) -> np.ndarray:
    """For each position how often its label came before it: [a, b, a, a] gives [0, 0, 1, 2]."""
    order = np.argsort(labels, kind="stable")
    ordered = labels[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    occurrence = np.empty(len(labels), np.int64)
    occurrence[order] = np.arange(len(labels)) - np.repeat(starts, np.diff(starts, append=len(labels)))
    return occurrence
