"""How certain a number is: spread over seeds, noise of a finite test set, and whether a difference is more than that.

Everything here is in percent or percentage points.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ballad.shot_groups import GROUPS, SHOT_GROUPS

BOOTSTRAP_DRAWS = 2000


def standard_error(accuracies: np.ndarray, counts: np.ndarray) -> float:
    """Standard error of the mean of class accuracies because the test set is finite.

    accuracies: percent [K]; counts: test images of each class [K]; classes without images are left out.
    Binomial with the mean accuracy p: sqrt(p (1 − p) · Σ 1/n_k) / K. With equal n_k that is the error of a plain
    share of all images, a little above the error from every class's own p, which few images cannot estimate.
    NaN without images.
    """
    seen = np.asarray(counts) > 0
    if not seen.any():
        return float("nan")
    p = np.asarray(accuracies, np.float64)[seen].mean() / 100
    return float(100 * np.sqrt(p * (1 - p) * (1 / np.asarray(counts)[seen]).sum()) / seen.sum())


def over_seeds(accuracies: Sequence[Mapping[str, float | None]]) -> pd.DataFrame:
    """Mean and standard deviation of the accuracies of the same setting under several seeds.

    Returns group, seeds, mean, sd; rows many, medium, few, all. sd is the sample standard deviation (n − 1), NaN for
    one seed; both are NaN for a group without classes.
    """
    rows = []
    for group in GROUPS:
        values = [value for value in (accuracy[group] for accuracy in accuracies) if value is not None]
        mean = float(np.mean(values)) if values else float("nan")
        sd = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
        rows.append((group, len(values), mean, sd))
    return pd.DataFrame(rows, columns=["group", "seeds", "mean", "sd"])


def paired_bootstrap(
    labels: np.ndarray,
    correct_a: np.ndarray,
    correct_b: np.ndarray,
    groups: Sequence[str],
    *,
    draws: int = BOOTSTRAP_DRAWS,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Is setting B better than setting A, or would other test images say otherwise?

    labels: the true class of each test image [N]; correct_a, correct_b: bool [seeds, N], each seed's right answers on
    those same images (their numbers of seeds may differ); groups: shot group of each class [K].

    Seeds are pooled by averaging. Test images are drawn with replacement within their class, so every draw keeps the
    class sizes and with them the groups. The interval is the percentile interval; the p-value is two-sided, from the
    draws on the far side of zero, and never below 2 / (draws + 1). It covers the choice of test images only, not that
    of seeds, and with n images per class its variance is (n − 1) / n of the true one.

    Returns group, difference (B − A), low, high, p_value; rows many, medium, few, all; NaN for an empty group.
    """
    gain = np.atleast_2d(correct_b).mean(axis=0) - np.atleast_2d(correct_a).mean(axis=0)  # [N], in −1 … 1
    totals = np.bincount(labels, minlength=len(groups))
    sums = np.bincount(labels, weights=gain, minlength=len(groups))
    drawn_sums = _resample_class_sums(labels, gain, totals, draws, np.random.default_rng(seed))

    tail = (1 - confidence) / 2
    rows = []
    for group, weights in _class_weights(totals, groups).items():
        if weights is None:
            rows.append((group, *[float("nan")] * 4))
            continue
        drawn = (drawn_sums @ weights).round(12)  # thirds that cancel must count as zero
        low, high = np.quantile(drawn, [tail, 1 - tail])
        beyond = min((drawn <= 0).sum(), (drawn >= 0).sum())
        p_value = min(1.0, 2 * (beyond + 1) / (draws + 1))
        rows.append((group, 100 * float(sums @ weights), 100 * float(low), 100 * float(high), p_value))
    return pd.DataFrame(rows, columns=["group", "difference", "low", "high", "p_value"])


def _resample_class_sums(
    labels: np.ndarray, gain: np.ndarray, totals: np.ndarray, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Σ gain over each class's images, resampled within the class: [draws, K].

    Only how many images of a class share a gain matters (a few values, whatever the number of images), so each draw
    takes one multinomial per class instead of one index per image.
    """
    values, value_of_image = np.unique(gain, return_inverse=True)
    cells = np.bincount(labels * len(values) + value_of_image, minlength=len(totals) * len(values))
    shares = cells.reshape(len(totals), len(values)) / np.maximum(totals, 1)[:, None]
    sums = np.zeros((draws, len(totals)))
    for k in np.flatnonzero(totals):
        sums[:, k] = rng.multinomial(totals[k], shares[k], size=draws) @ values
    return sums


def _class_weights(totals: np.ndarray, groups: Sequence[str]) -> dict[str, np.ndarray | None]:
    """The weight of each class's sum in a group's accuracy: 1 / (n_k · classes), and 1 / N for ``all``."""
    weights: dict[str, np.ndarray | None] = {}
    for group in SHOT_GROUPS:
        members = (np.asarray(groups) == group) & (totals > 0)
        weights[group] = members / np.maximum(totals, 1) / members.sum() if members.any() else None
    weights["all"] = np.full(len(totals), 1 / totals.sum()) if totals.sum() else None
    return weights
