"""Paper: the paper's tables and figures, reproduced on this machine, next to the published numbers."""

import pandas as pd
import streamlit as st

from ballad.errors import BalladError
from ballad.paper import published as paper
from ballad.paper.ablations import Ablation
from ballad.paper.budgets import BUDGETS
from ballad.paper.counterparts import rivals
from ballad.paper.formats import ablation_latex, describe
from ballad.paper.presets import PRESETS, Preset
from ballad.paper.recipes import difference_table as recipe_differences
from ballad.shot_groups import GROUPS
from ballad.store import queries
from ballad.wording import counted
from dashboard.figures.comparison import which_seeds
from dashboard.navigation import COMPARE, DATA, EMBEDDINGS
from dashboard.pickers.backbone_paths import check_backbone_paths
from dashboard.pickers.backbone_picker import pick_backbone, pick_weights
from dashboard.pickers.budget_picker import pick_budget
from dashboard.pickers.dataset_picker import pick_dataset
from dashboard.pickers.run_picker import pick_run
from dashboard.reading.dataset_source import dataset_source
from dashboard.reading.plans import dataset_facts, plan_of
from dashboard.reading.workbench import open_store
from dashboard.text import as_text
from dashboard.ui.changes import change_button
from dashboard.ui.charts import show_chart
from dashboard.ui.columns import group_columns
from dashboard.ui.downloads import figure_downloads, table_downloads
from dashboard.ui.group_progress import watch_group
from dashboard.ui.messages import show_error, shown_errors
from dashboard.ui.stop import stop
from dashboard.views.compare.difference_view import show_difference_intervals
from dashboard.views.paper.checklist import LAUNCHER, RESULT, launch, show_checklist
from dashboard.views.paper.paper_report import measured_figure
from dashboard.views.paper.paper_request import (
    RECIPE_TITLES,
    Conditions,
    PaperRequest,
    ablation_label,
    cost_of,
)
from dashboard.views.paper.paper_results import (
    ablations,
    measured_differences,
    measured_table,
    result_table,
)

COLUMNS = group_columns(f"{what}, {group}" for what in ("Paper", "Difference") for group in GROUPS)


def explain() -> None:
    st.markdown(
        "Every table and figure of BALLAD ([arXiv 2111.14745](https://arxiv.org/abs/2111.14745)) as a group of runs "
        "on a dataset and backbone of your choice, with your results over several seeds next to the published "
        "numbers. Whatever rows share, such as Phase A, is trained only once.",
        width=900,
    )


def place_and_title(name: str) -> str:
    return f"{PRESETS[name].place}: {PRESETS[name].title}"


def ask() -> PaperRequest:
    names = st.multiselect(
        "Tables and figures",
        list(PRESETS),
        ["table7"],
        format_func=place_and_title,
        key="tables",
        bind="query-params",
        placeholder="Choose at least one",
    )
    left, middle, right = st.columns(3)
    with left:
        dataset = dataset_source(pick_dataset(key="dataset"))
    with middle:
        backbone = pick_backbone(further="Tables that compare backbones run all four if this is one of them.")
    with right:
        weights = pick_weights()
    left, middle, right = st.columns(3)
    recipe = left.selectbox(
        "Recipe",
        list(RECIPE_TITLES),
        format_func=RECIPE_TITLES.__getitem__,
        key="recipe",
        bind="query-params",
        help="Which to follow where the paper and its code differ; the differences are listed below.",
    )
    with middle:
        budget = pick_budget()
    seeds = right.number_input(
        "Seeds",
        1,
        20,
        3,
        key="seeds",
        bind="query-params",
        help="Runs per setting. The spread over seeds shows how much of a difference is noise.",
    )
    presets = tuple(PRESETS[name] for name in names)
    return PaperRequest(presets, dataset, backbone, weights, recipe, budget, seeds)


def launcher() -> Conditions | None:
    """Ask, and offer to launch; returns the conditions that were chosen, None where they contradict each other."""
    conditions = None
    try:
        request = ask()
        conditions = request.conditions
        check_backbone_paths(conditions.base.backbone)
        facts = dataset_facts(conditions.base.dataset)
        cost = cost_of([plan_of(each, facts) for each in conditions.experiments(request.presets)], facts)
    except BalladError as error:
        show_error(error)
        st.page_link(
            DATA, label="See which datasets are available and how to get the others", icon=":material/database:"
        )
        return conditions
    if not request.presets:
        st.info("Choose a table or figure to launch.", icon=":material/arrow_upward:")
        return conditions
    with st.container(horizontal=True, vertical_alignment="center"):
        change_button(
            f"Launch {counted(cost.runs, 'run')}",
            type="primary",
            icon=":material/rocket_launch:",
            on_click=launch,
            args=(request.presets, conditions),
        )
        st.caption(str(cost))
    with st.popover("As a shell command", icon=":material/terminal:", type="tertiary"):
        st.code("\n".join(request.commands), language="bash", wrap_lines=True)
    return conditions


def show_measured(group_id: str, ablation: Ablation) -> None:
    preset, budget = ablation.preset, ablation.base.budget
    st.subheader(as_text(describe(ablation)), anchor=False)
    if budget != "full":
        st.warning(
            f"Budget {as_text(budget)} ({BUDGETS[budget].explanation if budget in BUDGETS else 'reduced'}): these runs "
            "trained less than the paper's, so a difference from its numbers says nothing about the method.",
            icon=":material/warning:",
        )
    table = measured_table(group_id, ablation)
    name = f"{preset.name} {ablation.dataset_title} {budget}"
    if ablation.finished:
        show_figure(ablation, table, name)
    numbers = result_table(table, rivals(preset.name))
    alt = f"{preset.place}, own and published"
    st.dataframe(numbers, hide_index=True, column_config=COLUMNS, placeholder="", alt=alt, height="content")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(explain_numbers(table))
        table_downloads(
            name,
            numbers,
            caption=describe(ablation),
            key="numbers",
            latex=lambda: ablation_latex(ablation).encode(),
        )
    if preset.baseline is not None:
        show_differences(group_id, ablation, name, preset.baseline)
    show_links(ablation)


def show_figure(ablation: Ablation, table: pd.DataFrame, name: str) -> None:
    figure, data, label = measured_figure(ablation, table)
    show_chart(figure, key="measured", label=label, revision=ablation.preset.name)
    figure_downloads(name, figure, data, key="measured")


def explain_numbers(table: pd.DataFrame) -> str:
    said = "Top-1 test accuracy in percent"
    if spreads := [told for told in which_seeds(table).unique() if not told.startswith(("0 ", "1 "))]:
        said += f", mean ± standard deviation over seeds ({'; '.join(spreads)})"
    said += ". A dash means that there are no such classes or that no run has finished yet."
    error = table.loc[table["group"] == "few", "standard_error"].mean()
    if error == error:
        said += (
            f" The size of the test set alone leaves ± {error:.1f} points of noise in the few-shot accuracy (one "
            "standard error)."
        )
    if (table["published"].notna() & ~table["same_setup"].astype(bool)).any():
        said += " Another set-up: published for a different dataset or backbone than yours."
    if table["published"].isna().all():
        said += " The paper plots these without printing numbers."
    return said


def show_differences(group_id: str, ablation: Ablation, name: str, papers_choice: str) -> None:
    settings = [row.setting for row in ablation.rows]
    baseline = st.selectbox(
        "Differences from",
        settings,
        index=settings.index(papers_choice),
        key=f"baseline_{ablation.preset.name}",
        bind="query-params",
        width=320,
    )
    found = measured_differences(group_id, ablation, baseline)
    if found.empty:
        st.caption("Differences appear once this setting and another have finished runs.")
        return
    show_difference_intervals(
        found,
        baseline,
        name=f"{name} differences from {baseline}",
        note="Percentage points with the 95 % interval of a paired bootstrap over the test images, seeds pooled; "
        "* is more than noise (p < 0.05).",
    )


def show_links(ablation: Ablation) -> None:
    runs = {key: folder.path.name for key, folder in ablation.finished.items()}
    with st.container(horizontal=True):
        if runs:
            several = {"run": list(runs.values())}
            st.page_link(COMPARE, label="Compare these runs", icon=":material/compare_arrows:", query_params=several)
        if ablation.preset.name == "figure6" and len(runs) >= 2:
            joint, decoupled = (runs.get(row.experiment.key) for row in ablation.rows)
            if joint and decoupled:
                sides = {"left": joint, "left_model": "joint", "right": decoupled, "right_model": "ballad"}
                st.page_link(
                    EMBEDDINGS, label="Map both embeddings", icon=":material/scatter_plot:", query_params=sides
                )


def show_background(preset: Preset | None) -> None:
    """What to know before comparing: tensions, recipes, and every published number."""
    place = preset.name if preset and preset.name in paper.PLACES else None
    with st.expander("Before you compare with the paper", icon=":material/balance:"):
        st.markdown("\n".join(f"- {note}" for note in paper.tensions(place)))
    with st.expander("The two recipes: the paper's text and its released code", icon=":material/menu_book:"):
        recipes = recipe_differences()
        st.table(recipes.rename(columns={"released_code": "released code"}).set_index("topic"))
        table_downloads(
            "paper and released code", recipes, caption="Where the paper and its code differ.", key="recipes"
        )
    with st.expander("All published numbers", icon=":material/table_view:"):
        published = paper.published()
        formats = {group: st.column_config.NumberColumn(format="%.1f") for group in GROUPS}
        st.dataframe(published, hide_index=True, column_config=formats, placeholder="–", alt="The published numbers")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                "Top-1 accuracy in percent: Tables 1–10, and what the text reports for Figures 4 and 5. Figure 3 and "
                "the other points of Figure 5 are plotted without numbers."
            )
            table_downloads("published numbers", published, caption="Published (arXiv 2111.14745).", key="published")


explain()
launched = ablations(queries.groups(open_store()))
new = st.expander(
    "Run a table or figure",
    expanded=launched.empty,
    icon=":material/add:",
    key=LAUNCHER,
    on_change="rerun",
    bind="query-params",
)
chosen = None
if new.open:
    with new:
        chosen = launcher()
show_checklist(chosen)
if launched.empty:
    show_background(None)
    stop()

labels = [
    ablation_label(each["id"], PRESETS[each["definition"]["preset"]], Conditions.of_launch(each["definition"]))
    for each in launched.to_dict("records")
]
group_id = pick_run(launched.assign(label=labels), label="Launched so far", key=RESULT)


def show_numbers(_: pd.DataFrame) -> None:
    with shown_errors():
        show_measured(group_id, Ablation.read(open_store(), group_id))


watch_group(group_id, show_numbers)
show_background(PRESETS[launched.set_index("id").at[group_id, "definition"]["preset"]])
