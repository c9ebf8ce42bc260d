"""λ sweep: many residual factors on one Phase A, and the accuracy of each shot group against λ."""

import pandas as pd
import streamlit as st

from ballad.errors import BalladError
from ballad.experiment import Experiment
from ballad.paper.presets import RESIDUAL_FACTORS
from ballad.store import queries
from ballad.sweeps import expand, queue_sweep
from ballad.wording import counted
from dashboard.figures.residual_sweep import residual_sweep
from dashboard.forms.lambda_grid import SWEPT_SCHEDULES, sweep_of
from dashboard.forms.lists import listed, parse_factors, parse_seeds
from dashboard.navigation import HOME, NEW_EXPERIMENT, RUN
from dashboard.pickers.current_run import current_run
from dashboard.pickers.run_picker import pick_run
from dashboard.reading.loaders import images_in_split
from dashboard.reading.plans import dataset_facts, plan_of, stage_states
from dashboard.reading.run_table import run_label
from dashboard.reading.workbench import all_runs, editing_store, open_store
from dashboard.settings.fields import SAMPLER_TITLES
from dashboard.ui.changes import change_button
from dashboard.ui.charts import customdata, show_chart
from dashboard.ui.columns import group_columns
from dashboard.ui.downloads import figure_downloads, table_downloads
from dashboard.ui.group_progress import watch_group
from dashboard.ui.messages import empty_state, show_error
from dashboard.ui.stop import stop
from dashboard.views.lambda_sweep.sweep_results import (
    chosen_on_validation,
    published_points,
    summary_table,
    sweep_points,
    sweeps,
)

SWEEP = "sweep"
SEEDS_OF = {"run": "the whole run (one Phase A each)", "adapter": "the adapter (one Phase A)"}
SPLITS = {"test": "Test", "val": "Validation"}


def explain() -> None:
    st.markdown(
        "The residual factor λ mixes the adapter with the feature it started from: f* = λ · adapter(f) + (1 − λ) · f. "
        "At 0 the model is Phase A alone; with more λ, rare classes gain and frequent ones may lose. Phase A does not "
        "depend on λ, so a whole sweep trains it once.",
        width=900,
    )


def ask(runs: pd.DataFrame) -> None:
    base_id = pick_run(
        runs,
        label="Base run",
        key="base",
        first=current_run(),
        help="Every run of the sweep uses this run's data, backbone and Phase A.",
    )
    factors, samplers = st.columns(2)
    factors_text = factors.text_input(
        "λ",
        listed(RESIDUAL_FACTORS),
        key="factors",
        bind="query-params",
        help="Values from 0 to 1, separated by commas.",
    )
    chosen_samplers = samplers.multiselect(
        "Samplers of Phase B",
        list(SAMPLER_TITLES),
        ["class_balanced"],
        key="samplers",
        bind="query-params",
        format_func=SAMPLER_TITLES.__getitem__,
        help="Each gets its own panel, which shows how much of the gain comes from balancing and how much from λ.",
    )
    seeds, seeds_of = st.columns(2)
    seeds_text = seeds.text_input(
        "Seeds", "0, 1, 2", key="seeds", bind="query-params", help="For example 0, 1, 2 or 0-4."
    )
    varied = seeds_of.selectbox(
        "Seeds vary",
        list(SEEDS_OF),
        key="seeds_of",
        bind="query-params",
        format_func=SEEDS_OF.__getitem__,
        help="Varying the seed of the whole run shows how much results vary when everything is trained again. Varying "
        "only the adapter's seed is quick, but shows the spread of Phase B on a single Phase A.",
    )
    try:
        base = open_store().get(base_id).experiment
        shared, grid = sweep_of(base, parse_factors(factors_text), chosen_samplers, parse_seeds(seeds_text), varied)
        experiments = expand(shared, grid)
        st.caption(f"{counted(len(experiments), 'run')}. {what_phase_a_takes(experiments)}")
    except BalladError as error:
        show_error(error)
        return
    if change_button(f"Launch {counted(len(experiments), 'run')}", type="primary", icon=":material/rocket_launch:"):
        name = f"λ sweep of {base.name or base_id}"
        st.session_state[SWEEP] = queue_sweep(editing_store(), shared, grid, name=name, tags=["λ sweep"])
        st.query_params[SWEEP] = st.session_state[SWEEP]
        st.rerun()


def what_phase_a_takes(experiments: list[Experiment]) -> str:
    facts = dataset_facts(experiments[0].dataset)
    by_seed = {experiment.seed: experiment for experiment in experiments}
    states = stage_states([plan_of(each, facts) for each in by_seed.values()])
    towers = [state for state in states if state.stage.kind == "towers"]
    missing = sum(not state.present for state in towers)
    if not towers:
        return "The towers are not trained."
    if not missing:
        return "Phase A has already been trained: only adapters remain, which take seconds each."
    return f"Phase A must be trained {counted(missing, 'time')} before the adapters."


def new_sweep(runs: pd.DataFrame, known: pd.DataFrame) -> None:
    bases = runs[runs["schedule"].isin(SWEPT_SCHEDULES)]
    # Runs of a sweep share their Phase A with its base, which stands for them while it is there.
    outside = bases[~bases["group_id"].isin(known["id"])]
    bases = bases if outside.empty else outside
    if bases.empty:
        empty_state(
            "No run to sweep yet",
            "A sweep reuses the Phase A of a finished run; the demo will do.",
            ":material/tune:",
        )
        st.page_link(HOME, label="Run the demo from Home", icon=":material/home:")
        st.page_link(NEW_EXPERIMENT, label="Set up a new experiment", icon=":material/add_circle:")
        stop()
    with st.expander("New sweep", expanded=known.empty, icon=":material/add:", key="new_sweep"):
        ask(bases)


def show_results(name: str, runs: pd.DataFrame, published: pd.DataFrame) -> None:
    points = sweep_points(open_store(), runs["id"].tolist())
    chosen = chosen_on_validation(points)
    split = st.segmented_control(
        "Accuracy on",
        [split for split in SPLITS if points.empty or split in set(points["split"])],
        default="test",
        key="split",
        format_func=SPLITS.__getitem__,
        required=True,
        bind="query-params",
    )
    of_split = points[points["split"] == split]
    published = published if split == "test" else published.head(0)
    figure = residual_sweep(
        of_split,
        chosen=chosen,
        published=None if published.empty else published,
        images=images_in_split(of_split["run"].unique(), split),
    )
    events = show_chart(figure, key="sweep_chart", label="Accuracy of each shot group against λ", height=460)
    if events.clicked is not None:
        for run_id, _ in customdata(figure, [events.clicked]):
            st.switch_page(RUN, query_params={"run": run_id})
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(caption(of_split, chosen, published))
        figure_downloads(f"λ sweep {name} {split}", figure, of_split, key="sweep_figure")
    table = summary_table(of_split, chosen)
    if not table.empty:
        st.dataframe(
            table,
            hide_index=True,
            alt="Mean accuracy and spread over seeds for each sampler and λ",
            column_config=group_columns(),
        )
        text = f"Accuracy (%) against λ on {split}, mean and standard deviation over {which_seeds(of_split)}."
        table_downloads(f"λ sweep {name} {split} table", table, caption=text, key="sweep_table")


def which_seeds(points: pd.DataFrame) -> str:
    alone = points["phase_a"].nunique() == 1 and points["seed"].nunique() > 1
    return "adapter seeds on one Phase A (no spread over runs)" if alone else "seeds"


def caption(points: pd.DataFrame, chosen: pd.DataFrame, published: pd.DataFrame) -> str:
    if points.empty:
        return "Points appear as runs finish."
    told = (
        f"Lines are means over {which_seeds(points)}; bands are one standard deviation. Click a point to open its run."
    )
    if chosen.empty:
        told += " Without a validation split, no λ can be chosen: choosing it on the test split would bias the result."
    if not published.empty:
        told += f" Published, from the paper: {', '.join(sorted(set(published['source'])))}."
    return told


explain()
every_run = all_runs()
known = sweeps(queries.groups(open_store()))
new_sweep(every_run, known)
if known.empty:
    stop()

labels = [run_label(name, group_id) for name, group_id in zip(known["name"], known["id"], strict=True)]
own = every_run.loc[every_run["id"] == current_run(), "group_id"]
group_id = pick_run(known.assign(label=labels), label="Sweep", key=SWEEP, first=next(iter(own), None))
chosen_sweep = known.set_index("id").loc[group_id]
published = published_points(chosen_sweep["definition"]["base"])
watch_group(group_id, lambda runs: show_results(chosen_sweep["name"], runs, published))
