"""Every figure kind, drawn from tables with what makes figures hard to print: long names, many rows, many classes."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.accuracy_curves import accuracy_curves
from dashboard.figures.class_counts import class_count_curve
from dashboard.figures.comparison import comparison_dots
from dashboard.figures.confusion import confusion_difference, confusion_heatmap
from dashboard.figures.differences import difference_intervals
from dashboard.figures.embedding_map import embedding_map
from dashboard.figures.gain import gain_by_group
from dashboard.figures.group_confusion import group_confusion_heatmap
from dashboard.figures.parallel_coordinates import parallel_coordinates
from dashboard.figures.parts import empty_figure
from dashboard.figures.reliability import reliability_diagram
from dashboard.figures.residual_sweep import residual_sweep
from dashboard.figures.trade_off import trade_off
from dashboard.figures.training_curves import training_curves

GROUPS = ("many", "medium", "few", "all")
RUNS = ("decoupled, λ = 0.2, RN50 · demo · seed 0 · k3f9a1zz", "joint training, RN50 · demo · seed 0 · p0o9i8u7")
CLASSES = ("scarlet macaw", "sulphur-crested cockatoo", "black-footed ferret", "three-toed sloth", "odometer", "yurt")


def _curves(runs: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "run": run,
                "phase": phase,
                "epoch": epoch,
                "group": group,
                "accuracy": 40 + 7 * place + 3 * np.log(epoch + (10 if phase == "phase_b" else 0)),
                "loss": 2 / epoch,
                "learning_rate": 1e-5 / epoch,
            }
            for run in runs
            for phase, epochs in (("phase_a", 10), ("phase_b", 5))
            for epoch in range(1, epochs + 1)
            for place, group in enumerate(GROUPS)
        ]
    )


def _class_counts(classes: int) -> pd.DataFrame:
    counts = np.geomspace(500, 5, classes).astype(int)
    groups = np.select([counts > 100, counts >= 20], ["many", "medium"], "few")
    names = [f"{CLASSES[place % len(CLASSES)]} {place}" for place in range(classes)]
    return pd.DataFrame({"class_name": names, "group": groups, "train_count": counts})


def _comparison(settings: int) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "setting": f"balanced in phase B by square-root sampling, variant {setting}",
                "group": group,
                "mean": 45.0 + 4 * place + setting,
                "sd": 0.8,
                "seeds": 3,
                "phases_a": 3,
                "published": setting == settings - 1,
            }
            for setting in range(settings)
            for place, group in enumerate(GROUPS)
        ]
    )


def _gain() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"model": model, "group": group, "accuracy": 40.0 + 9 * place + 5 * step, "margin": 2.5 + step}
            for step, model in enumerate(("Zero-shot", "Phase A", "BALLAD"))
            for place, group in enumerate(GROUPS)
        ]
    )


def _differences() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "setting": f"balanced in phase A, variant {setting}",
                "group": group,
                "difference": d,
                "low": d - 2,
                "high": d + 2,
            }
            for setting in range(3)
            for d, group in zip((-12.3, -1.0, 4.5, 0.3), GROUPS, strict=True)
        ]
    )


def _confusion(classes: int, seed: int = 0) -> pd.DataFrame:
    counts = np.random.default_rng(seed).poisson(0.4, (classes, classes)) + 8 * np.eye(classes, dtype=int)
    true, predicted = np.nonzero(counts)
    return pd.DataFrame({"true": true, "predicted": predicted, "count": counts[true, predicted]})


def _names(classes: int) -> list[str]:
    return [f"{CLASSES[place % len(CLASSES)]} {place}" for place in range(classes)]


def _shares(seed: int) -> pd.DataFrame:
    shares = np.random.default_rng(seed).dirichlet([8, 1, 1, 1], 3) * 100
    return pd.DataFrame(shares, ["many", "medium", "few"], ["right", "many", "medium", "few"])


def _map(classes: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(0)
    centres = random.normal(0, 6, (2, classes, 2))
    points = pd.DataFrame(
        [
            {
                "panel": RUNS[panel],
                "x": x,
                "y": y,
                "sample": label * 10 + place,
                "class_name": CLASSES[label % len(CLASSES)] + (f" {label}" if label >= len(CLASSES) else ""),
                "group": "few",
                "correctness": "correct" if place else "wrong",
                "predicted": CLASSES[0],
            }
            for panel in (0, 1)
            for label in range(classes)
            for place, (x, y) in enumerate(random.normal(centres[panel, label], 1, (10, 2)))
        ]
    )
    anchors = points.groupby(["panel", "class_name"], sort=False)[["x", "y"]].mean().reset_index()
    return points, anchors


def _embeddings(classes: int, colour_by: str) -> go.Figure:
    points, anchors = _map(classes)
    notes = {run: ["few-shot silhouette 0.123", "purity 81.4 %, to heads 0.214"] for run in RUNS}
    return embedding_map(points, colour_by=colour_by, anchors=anchors, notes=notes)


def _parallel() -> go.Figure:
    table = pd.DataFrame(
        {
            "phase_b.residual_factor": [0.0, 0.2, 0.5, 1.0],
            "phase_b.sampler": ["class_balanced", "square_root", "instance", "mix_balanced"],
            **{group: [60.0 + place, 62.0, 58.5, 40.2] for place, group in enumerate(GROUPS)},
        }
    )
    titles = {"phase_b.residual_factor": "residual factor", "phase_b.sampler": "sampler"}
    return parallel_coordinates(table, titles | {group: f"{group} (%)" for group in GROUPS}, colour="all")


def _reliability() -> go.Figure:
    bins = pd.DataFrame({"confidence": np.arange(5, 100, 10.0), "accuracy": np.arange(3, 98, 9.5), "images": 120})
    return reliability_diagram(pd.concat([bins.assign(model="Phase A"), bins.assign(model="BALLAD", images=90)]))


def _sweep(samplers: tuple[str, ...]) -> go.Figure:
    points = pd.DataFrame(
        [
            {
                "sampler": sampler,
                "residual_factor": factor,
                "seed": seed,
                "group": group,
                "accuracy": 50 + 6 * place + 10 * factor * (1 - factor) + seed,
                "run": f"r{seed}",
            }
            for sampler in samplers
            for factor in (0.0, 0.2, 0.5, 0.8, 1.0)
            for seed in range(3)
            for place, group in enumerate(GROUPS)
        ]
    )
    published = pd.DataFrame({"residual_factor": [0.2], "group": ["all"], "accuracy": [67.1]})
    chosen = pd.DataFrame({"sampler": list(samplers), "residual_factor": 0.2})
    return residual_sweep(points, chosen=chosen, published=published, images=1200)


def _trade_off() -> go.Figure:
    kinds = ["towers", "baseline", *["method"] * 6, "published"]
    return trade_off(
        pd.DataFrame(
            {
                "name": [f"cosine head, logit-adjusted afterwards, variant {place}" for place in range(len(kinds))],
                "kind": kinds,
                "many": [43.0, 55.0, 30.0, 52.0, 58.0, 66.0, 75.0, 50.0, 71.0],
                "few": [49.0, 55.0, 56.0, 40.0, 53.0, 40.0, 21.0, 52.0, 60.0],
                "many_sd": 1.2,
                "few_sd": 0.8,
                "run": "r0",
            }
        ),
        images=1200,
    )


FIGURE_KINDS: Mapping[str, Callable[[], go.Figure]] = {
    "accuracy curves of a run": lambda: accuracy_curves(_curves(RUNS[:1]), images=1200),
    "accuracy curves of runs": lambda: accuracy_curves(_curves(RUNS), images=1200),
    "training loss": lambda: training_curves(_curves(RUNS), "loss"),
    "learning rate": lambda: training_curves(_curves(RUNS[:1]), "learning_rate"),
    "class counts, named": lambda: class_count_curve(_class_counts(20)),
    "class counts, ranked": lambda: class_count_curve(_class_counts(365)),
    "comparison": lambda: comparison_dots(_comparison(4), images=1200),
    "comparison of many": lambda: comparison_dots(_comparison(12)),
    "gain": lambda: gain_by_group(_gain(), images=1200),
    "differences": lambda: difference_intervals(_differences()),
    "confusion, named": lambda: confusion_heatmap(_confusion(30), range(30), _names(30)),
    "confusion, grouped": lambda: confusion_heatmap(
        _confusion(90), range(90), _names(90), groups=["many"] * 30 + ["medium"] * 40 + ["few"] * 20
    ),
    "confusion difference": lambda: confusion_difference(_confusion(30), _confusion(30, 1), range(30), _names(30)),
    "shot groups": lambda: group_confusion_heatmap(_shares(0), pd.Series(400, ["many", "medium", "few"])),
    "shot group difference": lambda: group_confusion_heatmap(
        _shares(0), pd.Series(400, ["many", "medium", "few"]), _shares(1)
    ),
    "embeddings by class": lambda: _embeddings(6, "class_name"),
    "embeddings of many classes": lambda: _embeddings(24, "class_name"),
    "embeddings by group": lambda: _embeddings(6, "group"),
    "parallel coordinates": _parallel,
    "reliability": _reliability,
    "λ sweep": lambda: _sweep(("class_balanced",)),
    "λ sweep of samplers": lambda: _sweep(("class_balanced", "square_root", "instance")),
    "trade-off": _trade_off,
    "nothing to draw": lambda: empty_figure("No run of this sweep has finished yet."),
}
"""A function for each that draws it as a page does."""
