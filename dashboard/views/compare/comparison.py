"""Runs as the lines of a comparison: those that differ in nothing but the seed are one line."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st

from ballad.analysis.statistics import over_seeds, paired_bootstrap
from ballad.errors import SettingsError
from ballad.experiment import Experiment, count_phases_a, short_names
from ballad.paper.presets import BALLAD, ZERO_SHOT, place_title
from ballad.schedules import Model, model_title
from ballad.shot_groups import GROUPS
from ballad.stages.plan import SplitName
from ballad.store import queries
from ballad.store.run_store import RunStore
from ballad.wording import MISSING, mean_and_spread
from dashboard.figures.comparison import which_seeds
from dashboard.reading.loaders import evaluation, same_images

LOOKED_AT = 300
"""How many of the latest runs are searched for other seeds of a row."""
NOISE_ABOVE = 0.05
"""From this p-value on a difference is called noise."""

_FORMER_LABELS = {
    "zero-shot CLIP, ": "zero-shot, ",
    "Phase A, unbalanced, RN50, ImageNet-LT, Table 4": "Phase A, pretrained image tower, pretrained text tower, RN50, "
    "ImageNet-LT, Table 4",
    "Phase A, unbalanced, RN50, ImageNet-LT, Table 5": "both towers tuned, RN50, ImageNet-LT, Table 5",
    "Phase A, unbalanced, RN50, ImageNet-LT, Table 7": "balanced in no phase, RN50, ImageNet-LT, Table 7",
}
_SAYS_NOTHING = ["name", "notes", "seed", "phase_b.seed", "budget"]


@dataclass(frozen=True)
class Row:
    """A model under one setting: ``run_ids`` holds one run per seed."""

    label: str
    model: Model
    run_ids: tuple[str, ...]


def of_this_release(store: RunStore, runs: pd.DataFrame) -> pd.DataFrame:
    """Those of ``runs`` (column id) whose settings this release knows, all of them: others cannot be told apart."""

    def known(run_id: str) -> bool:
        try:
            _experiment(store, run_id)
        except SettingsError:
            return False
        return True

    return runs[[known(run_id) for run_id in runs["id"]]]


def comparison_rows(store: RunStore, runs: pd.DataFrame, *, every_model: bool) -> list[Row]:
    """The rows of ``runs`` (columns id and name) in their order: each run's final model, or all it evaluated.

    Two runs with the same seed are the same result; one of them counts.
    """
    found: dict[tuple[Model, str], dict[str, str]] = {}
    names = dict(zip(runs["id"], runs["name"], strict=True))
    evaluated = queries.results(store, runs["id"].tolist(), split="test").groupby("run_id")["model"].agg(set)
    for run_id in names:
        experiment = _experiment(store, run_id)
        for model in experiment.models if every_model else [experiment.final_model]:
            if model in evaluated.get(run_id, ()):
                made_of = experiment.up_to(model)
                found.setdefault((model, _key_but_seed(made_of)), {}).setdefault(made_of.key, run_id)
    rows = []
    for (model, _), by_seed in found.items():
        run_ids = tuple(by_seed.values())
        name = _shared_words([names[run_id] for run_id in run_ids]) or f"unnamed {run_ids[0]}"
        rows.append(Row(f"{model_title(model)} of {name}" if every_model else name, model, run_ids))
    return _told_apart(rows, different_settings(store, rows))


def latest_rows(store: RunStore, runs: pd.DataFrame, at_least: int) -> list[str]:
    """The ids of the latest ``runs`` (column id, the newest first), at least this many, every row with all its
    seeds."""
    keys = [_row_key(store, run_id) for run_id in runs["id"].head(LOOKED_AT)]
    wanted: set[str] = set()
    for key in keys:
        if sum(each in wanted for each in keys) >= at_least:
            break
        wanted.add(key)
    return [run_id for run_id, key in zip(runs["id"], keys, strict=False) if key in wanted]


def cut_rows(store: RunStore, rows: Sequence[Row], runs: pd.DataFrame) -> list[str]:
    """A note on each row that leaves out seeds of its setting: ``λ = 0.2: 2 of 3``; ``runs`` are all there are."""
    there = Counter(_row_key(store, run_id) for run_id in runs["id"].head(LOOKED_AT))
    told = []
    for row in rows:
        chosen, seeds = len(row.run_ids), there[_row_key(store, row.run_ids[0])]
        if chosen < seeds:
            told.append(f"{row.label}: {chosen} of {seeds}")
    return told


def different_settings(store: RunStore, rows: Sequence[Row]) -> pd.DataFrame:
    """The settings in which the rows differ, beyond seed, names and devices: one row per row, one column per dotted
    name.

    NaN where the row's model does not use the setting.
    """
    table = queries.different_settings(store, [row.run_ids[0] for row in rows]).reset_index(drop=True)
    table = table.drop(
        columns=[name for name in table.columns.tolist() if name in _SAYS_NOTHING or name.startswith("runtime.")]
    )
    for place, row in enumerate(rows):
        unused = _unused_by(row.model, _experiment(store, row.run_ids[0]))
        table.loc[place, [name for name in table.columns.tolist() if name.startswith(unused)]] = np.nan
    table = table[[name for name in table if _distinct(table[name]) > 1]]
    return table.set_axis(pd.Index([row.label for row in rows], name="setting"))


def row_accuracies(store: RunStore, rows: Sequence[Row], split: SplitName) -> pd.DataFrame:
    """Columns setting, group (many, medium, few, all), seeds, phases_a, mean, sd (percent), published (false).

    ``phases_a``: on how many trainings of Phase A the seeds rest, missing for none.
    """
    run_ids = sorted({run_id for row in rows for run_id in row.run_ids})
    results = queries.results(store, run_ids, split=split).to_dict("records")
    known = {
        (result["run_id"], result["model"]): {
            group: None if pd.isna(result[group]) else float(result[group]) for group in GROUPS
        }
        for result in results
    }
    tables = []
    for row in rows:
        by_seed = {run_id: known[run_id, row.model] for run_id in row.run_ids if (run_id, row.model) in known}
        if by_seed:
            phases_a = count_phases_a(_experiment(store, run_id).up_to(row.model) for run_id in by_seed)
            table = over_seeds(list(by_seed.values()))
            tables.append(table.assign(setting=row.label, published=False, seeds=len(by_seed), phases_a=phases_a))
    columns = ["setting", "group", "seeds", "phases_a", "mean", "sd", "published"]
    return pd.concat(tables)[columns].reset_index(drop=True) if tables else pd.DataFrame(columns=columns)


def published_accuracies(published: pd.DataFrame) -> pd.DataFrame:
    """The paper's rows in the same columns; NaN where it prints no number."""
    labelled = published.assign(setting=[published_label(row) for _, row in published.iterrows()])
    tidy = labelled.melt("setting", list(GROUPS), var_name="group", value_name="mean")
    unknown = pd.array([None] * len(tidy), dtype="Int64")
    return tidy.assign(sd=np.nan, seeds=unknown, phases_a=unknown, published=True)


def published_label(row: pd.Series) -> str:
    """``BALLAD, RN50, ImageNet-LT, Table 1``, with a mark where the row's numbers do not fit each other."""
    label = f"{row['setting']}, {row['backbone']}, {row['dataset']}, {place_title(row['table'])}"
    return f"{label} {row['mark']}".rstrip()


def current_label(label: str) -> str:
    """A label as :func:`published_label` gives it, from a link that an earlier version made."""
    for former, current in _FORMER_LABELS.items():
        if label.startswith(former):
            return label.replace(former, current, 1)
    return label


def main_results(published: pd.DataFrame) -> pd.Series:
    """Which of the paper's rows give BALLAD and zero-shot on a dataset and backbone, each once."""
    given = [
        (published["setting"] == each.setting) & published["table"].isin(each.places) for each in (BALLAD, ZERO_SHOT)
    ]
    return given[0] | given[1]


def accuracy_table(accuracies: pd.DataFrame) -> pd.DataFrame:
    """For people and papers: Setting, Source, Seeds (which varied), Many, Medium, Few, All as ``67.2 ± 0.3``."""
    cells = [mean_and_spread(mean, sd) for mean, sd in zip(accuracies["mean"], accuracies["sd"], strict=True)]
    wide = accuracies.assign(cell=cells).pivot(index="setting", columns="group", values="cell")
    lines = accuracies.drop_duplicates("setting").set_index("setting")
    wide = wide.loc[lines.index, list(GROUPS)].rename(columns=str.capitalize)
    wide.insert(
        0, "Source", np.where(lines["published"].astype(bool), "published (arXiv 2111.14745)", "this workbench")
    )
    wide.insert(1, "Seeds", which_seeds(lines))
    return wide.rename_axis(columns=None, index="Setting").reset_index()


def differences(rows: Sequence[Row], baseline: Row, split: SplitName) -> tuple[pd.DataFrame, list[str]]:
    """How much each other row exceeds ``baseline``, by paired bootstrap over test images; seeds are pooled.

    Returns setting, group, difference, low, high (95 %, percentage points), p_value; and the labels of the rows that
    were evaluated on other images. RunError if a run's folder is gone.
    """
    tables, apart = [], []
    for row in rows:
        if row.label == baseline.label:
            continue
        if same_images(baseline.run_ids[0], row.run_ids[0], split):
            table = _bootstrap(baseline.model, baseline.run_ids, row.model, row.run_ids, split)
            tables.append(table.assign(setting=row.label))
        else:
            apart.append(row.label)
    columns = ["setting", "group", "difference", "low", "high", "p_value"]
    found = pd.concat(tables)[columns].reset_index(drop=True) if tables else pd.DataFrame(columns=columns)
    return found, apart


def difference_table(found: pd.DataFrame) -> pd.DataFrame:
    """For people and papers: Setting, Many, Medium, Few, All as ``+2.1 [+0.4, +3.8] *``; the star: more than noise."""
    numbers = found[["difference", "low", "high", "p_value"]].to_numpy(float)
    cells = [MISSING if np.isnan(difference) else _interval(difference, *rest) for difference, *rest in numbers]
    wide = found.assign(cell=cells).pivot(index="setting", columns="group", values="cell")
    wide = wide.loc[found["setting"].unique(), list(GROUPS)].rename(columns=str.capitalize)
    return wide.rename_axis(columns=None, index="Setting").reset_index()


def settings_table(differing: pd.DataFrame) -> pd.DataFrame:
    """One line per setting that differs, one column per row of the comparison, as text; a dash where unused."""
    plain = differing.map(lambda value: "default" if value is None else MISSING if value != value else str(value))
    return plain.T.rename_axis(index="Setting", columns=None).reset_index()


def _interval(difference: float, low: float, high: float, p_value: float) -> str:
    star = " *" if p_value < NOISE_ABOVE else ""
    return f"{difference:+.1f} [{low:+.1f}, {high:+.1f}]{star}".replace("-", "−")


@st.cache_data(max_entries=1024, show_spinner="Testing whether the differences are more than noise…")
def _bootstrap(
    model_a: Model, runs_a: tuple[str, ...], model_b: Model, runs_b: tuple[str, ...], split: SplitName
) -> pd.DataFrame:
    a = [evaluation(run_id, model_a, split) for run_id in runs_a]
    b = [evaluation(run_id, model_b, split) for run_id in runs_b]
    correct_a, correct_b = (np.stack([one.predictions.correct for one in side]) for side in (a, b))
    return paired_bootstrap(a[0].predictions.labels, correct_a, correct_b, a[0].per_class["group"].tolist())


def _shared_words(names: Sequence[str]) -> str:
    """What the names of a row's runs have in common, as seeds often stand in them; else the first name."""
    others = [set(name.split()) for name in names[1:]]
    return " ".join(word for word in names[0].split() if all(word in words for words in others)) or names[0]


@st.cache_resource(max_entries=1024, show_spinner=False)
def _experiment(_store: RunStore, run_id: str) -> Experiment:
    """A run's settings, which stay as they were when it was queued. SettingsError for a run of another release."""
    return _store.get(run_id).experiment


@st.cache_data(max_entries=4096, show_spinner=False)
def _row_key(_store: RunStore, run_id: str) -> str:
    """The same for runs that differ in nothing but the seed; a run of another release is like no other."""
    try:
        return _key_but_seed(_experiment(_store, run_id))
    except SettingsError:
        return run_id


def _key_but_seed(experiment: Experiment) -> str:
    phase_b = experiment.phase_b.model_copy(update={"seed": None})
    return experiment.model_copy(update={"seed": 0, "phase_b": phase_b}).key


def _unused_by(model: Model, experiment: Experiment) -> tuple[str, ...]:
    """Beginnings of the settings that cannot change this model."""
    sections = tuple(f"{section}." for section in experiment.up_to(model).training.unused_sections)
    return sections if model == experiment.final_model else (*sections, "schedule")


def _distinct(values: pd.Series) -> int:
    return len({repr(value) for value in values if value == value})


def _told_apart(rows: Sequence[Row], differing: pd.DataFrame) -> list[Row]:
    """Rows of one label get the settings in which they differ as well."""
    labels = [row.label for row in rows]
    settings = differing.reset_index(drop=True)
    renamed = []
    for place, row in enumerate(rows):
        alike = [other for other, label in enumerate(labels) if label == row.label]
        own = settings.loc[alike]
        telling = [name for name in own.columns.tolist() if _distinct(own[name]) > 1]
        said = ", ".join(f"{short} {settings[name].iloc[place]}" for name, short in short_names(telling).items())
        renamed.append(replace(row, label=f"{row.label} ({said})") if said else row)
    return _numbered(renamed)


def _numbered(rows: Iterable[Row]) -> list[Row]:
    """A label that still repeats, as when two runs differ in what is not among the settings, gets the run's id."""
    unique: list[Row] = []
    taken: set[str] = set()
    for row in rows:
        label = f"{row.label} · {row.run_ids[0]}" if row.label in taken else row.label
        taken.add(label)
        unique.append(replace(row, label=label))
    return unique
