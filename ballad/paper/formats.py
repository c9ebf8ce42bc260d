"""An ablation's table for others: as JSON records for programs, as LaTeX in the paper's layout."""

import math
from collections.abc import Hashable, Sequence
from typing import Any

from ballad import latex
from ballad.paper.ablations import Ablation
from ballad.paper.counterparts import rivals
from ballad.paper.presets import backbone_title
from ballad.paper.published import AS_PRINTED
from ballad.paper.recipes import recipe_of
from ballad.shot_groups import GROUPS
from ballad.wording import seeds_told

TOLD_APART_BELOW = 0.05
"""The p-value below which two settings are told apart."""
MEASURED = ("mean", "sd", "standard_error", "published", "difference")


def ablation_records(ablation: Ablation) -> list[dict[str, Any]]:
    """One record per setting: many, medium, few and all, each with mean, sd, standard_error, published and difference.

    Beside them table, setting, model, dataset, backbone, recipe, budget, seeds, published_source and same_setup.
    Missing numbers are None. The meaning of each is that of :meth:`Ablation.table`.
    """
    conditions = {
        "dataset": ablation.dataset_title,
        "backbone": backbone_title(ablation.base.backbone.name),
        "recipe": recipe_of(ablation.base),
        "budget": ablation.base.budget,
    }
    records = []
    for setting, of_setting in ablation.table().groupby("setting", sort=False):
        rows = of_setting.to_dict("records")
        records.append(
            {
                "table": ablation.preset.name,
                "setting": setting,
                "model": rows[0]["model"],
                **conditions,
                "seeds": rows[0]["seeds"],
                **{row["group"]: {name: _or_none(row[name]) for name in MEASURED} for row in rows},
                "published_source": rows[0]["published_source"] or None,
                "same_setup": rows[0]["same_setup"],
            }
        )
    return records


def describe(ablation: Ablation) -> str:
    """What a table is about and under which conditions it was measured, in one line."""
    base, recipe = ablation.base, recipe_of(ablation.base)
    parts = [
        f"{ablation.preset.place}: {ablation.preset.title}",
        f"{ablation.dataset_title} with {backbone_title(base.backbone.name)}",
        seeds_told(ablation.seeds, ablation.seeds),
        f"budget {base.budget}",
    ]
    return ", ".join([*parts, f"recipe {recipe}"] if recipe else parts)


def ablation_latex(ablation: Ablation) -> str:
    """A ``table`` in booktabs style: one row per setting, test accuracies in percent.

    In each column, the best and what cannot be told apart from it are bold: p ≥ 0.05 in a paired bootstrap over images.
    Where a single setting was measured there is nothing to tell apart, and no bold.

    Mean ± standard deviation over seeds; published numbers beside, where there are any, and the other methods' rows
    below. Needs ``booktabs``.
    """
    records = ablation_records(ablation)
    best = {group: _best(ablation, records, group) for group in GROUPS}
    others = rivals(ablation.preset.name)
    published = [
        group for group in GROUPS if len(others) or any(record[group]["published"] is not None for record in records)
    ]
    rows = [
        [
            latex.escaped(record["setting"]),
            *(_cell(record[group], bold=record["setting"] in best[group]) for group in GROUPS),
            *(_number(record[group]["published"]) for group in published),
        ]
        for record in records
    ]
    return latex.table(
        ["Setting", *(group.capitalize() for group in (*GROUPS, *published))],
        rows,
        [_row_of_rival(rival, published) for rival in others.to_dict("records")],
        alignment="l" + "r" * (len(GROUPS) + len(published)),
        caption=_caption(ablation, records, bold=any(best.values()), marked=others["mark"].any()),
        label=f"tab:{ablation.preset.name}",
        above=_spanning_header(len(GROUPS), len(published)),
    )


def _row_of_rival(rival: dict[Hashable, Any], published: Sequence[str]) -> list[str]:
    cells = [_number(_or_none(rival[group])) for group in published]
    cells[-1] += latex.escaped(rival["mark"])
    return [latex.escaped(f"{rival['setting']}, {rival['backbone']}"), *("" for _ in GROUPS), *cells]


def _spanning_header(ours: int, theirs: int) -> list[str]:
    if not theirs:
        return []
    return [
        latex.line(["", rf"\multicolumn{{{ours}}}{{c}}{{measured}}", rf"\multicolumn{{{theirs}}}{{c}}{{published}}"]),
        rf"\cmidrule(lr){{2-{ours + 1}}} \cmidrule(lr){{{ours + 2}-{ours + theirs + 1}}}",
    ]


def _caption(ablation: Ablation, records: Sequence[dict[str, Any]], *, bold: bool, marked: bool) -> str:
    sources = dict.fromkeys(record["published_source"] for record in records if record["published_source"])
    spread = ", mean and s.d. over seeds" if ablation.seeds > 1 else ""
    sentences = [
        f"{describe(ablation)}.",
        f"Top-1 test accuracy in %{spread}.",
        "Bold: the best and what cannot be told from it (paired bootstrap over test images, p = 0.05)." if bold else "",
        f"Published: {'; '.join(sources)}." if sources else "",
        AS_PRINTED if marked else "",
    ]
    return " ".join(filter(None, sentences))


def _best(ablation: Ablation, records: Sequence[dict[str, Any]], group: str) -> set[str]:
    """The setting with the largest mean in a group, and those that the test images cannot tell from it."""
    means = {record["setting"]: record[group]["mean"] for record in records if record[group]["mean"] is not None}
    if len(means) < 2:
        return set()
    largest = max(means, key=lambda setting: means[setting])
    found = ablation.differences(largest)
    alike = found[(found["group"] == group) & (found["p_value"] >= TOLD_APART_BELOW)]
    return {largest, *alike["setting"]}


def _cell(measured: dict[str, float | None], *, bold: bool) -> str:
    mean, sd = measured["mean"], measured["sd"]
    text = _number(mean) if sd is None else rf"{mean:.1f} $\pm$ {sd:.1f}"
    return rf"\textbf{{{text}}}" if bold else text


def _number(value: float | None) -> str:
    return "--" if value is None else f"{value:.1f}"


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
