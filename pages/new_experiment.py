"""New experiment: choose what to run, see what it will take, and launch it."""

from dataclasses import replace

import streamlit as st

from ballad.data.catalog import list_datasets
from ballad.errors import BalladError
from ballad.heads import HEADS
from ballad.heads.ballad import Ballad
from ballad.paper.presets import PAPER_BACKBONES
from ballad.schedules import SCHEDULES
from ballad.sweeps import queue_run, queue_sweep
from ballad.wording import counted
from ballad.work.devices import list_devices
from dashboard.forms.applicability import reasons, reasons_of_schedule
from dashboard.forms.draft import (
    BALANCING,
    Request,
    balancing_of,
    request_of,
    with_balancing,
    with_dataset_and_backbone,
)
from dashboard.forms.outlook import show_outlook
from dashboard.forms.session import draft, entered, fill, keep, open_form, remember_in_url
from dashboard.forms.starting_points import starting_points
from dashboard.forms.widgets import Entries
from dashboard.navigation import RUN, RUNS
from dashboard.pickers.backbone_paths import check_backbone_paths
from dashboard.pickers.dataset_picker import own_datasets
from dashboard.reading.dataset_source import dataset_source
from dashboard.reading.workbench import all_runs, editing_store, open_store
from dashboard.settings.fields import EXECUTOR, SEEDS
from dashboard.settings.head_fields import entries_of
from dashboard.text import sentence_as_text
from dashboard.ui.changes import change_button
from dashboard.ui.messages import show_error
from dashboard.ui.stop import stop
from dashboard.views.new_experiment.backbone_search import search_backbones
from dashboard.views.new_experiment.backbone_weights import offer_weights

BALANCING_KEY = "form_balancing"
BALANCING_HELP = (
    "Which phases draw class-balanced batches (Table 7). BALLAD balances Phase B alone: Phase A learns from the data "
    "as it is distributed, then Phase B gives rare classes equal weight."
)
ADVANCED = {
    "Data": [
        "dataset.imbalance_ratio",
        "dataset.imbalance_profile",
        "dataset.shot_groups",
        "dataset.classes",
        "dataset.validation_per_class",
        "dataset.test_per_class",
        "dataset.split_seed",
        "dataset.shorter_side",
        "dataset.skip_unreadable",
    ],
    "Backbone": [
        "backbone.pretrained",
        "backbone.image_size",
        "backbone.image_tower",
        "backbone.text_tower",
        "backbone.temperature",
        "backbone.trust_torchscript",
    ],
    "Phase A": [
        "phase_a.objective",
        "phase_a.learning_rate",
        "phase_a.batch_size",
        "phase_a.micro_batch",
        "phase_a.augmentation",
        "phase_a.precision",
        "phase_a.images_per_draw",
        "phase_a.selection",
        "phase_a.interpolation",
        "phase_a.drop_last",
    ],
    "Phase B": [
        "phase_b.learning_rate",
        "phase_b.batch_size",
        "phase_b.features",
        "phase_b.views",
        "phase_b.augmentation",
        "phase_b.images_per_draw",
        "phase_b.selection",
        "phase_b.seed",
        "phase_b.drop_last",
    ],
    "Optimizer and run": [
        "optimizer.momentum",
        "optimizer.weight_decay",
        "optimizer.cosine_by",
        "runtime.workers",
        "budget",
        "runtime.compile",
        "runtime.keep_towers",
    ],
}


def follow_names() -> None:
    now = entered()
    chosen = now["dataset.source"], now["backbone.name"]
    before = {path: draft()[path] for path in ("dataset.source", "backbone.name")}
    fill(with_dataset_and_backbone({**now, **before}, *chosen))


def take_backbone(architecture: str, tag: str | None) -> None:
    now = entered()
    fill({**with_dataset_and_backbone(now, now["dataset.source"], architecture), "backbone.pretrained": tag})


def follow_balancing() -> None:
    fill(with_balancing(entered(), st.session_state[BALANCING_KEY]))


def ask_data_and_model(entries: Entries) -> None:
    st.subheader("Data and model", anchor=False)
    dataset, backbone = st.columns(2)
    with dataset:
        names = [*(known.name for known in list_datasets()), *own_datasets()]
        entries.ask("dataset.source", names=names, on_change=follow_names)
    with backbone:
        entries.ask("backbone.name", names=["demo", *PAPER_BACKBONES], on_change=follow_names)
    offer_weights(entries.values["backbone.name"], entered()["backbone.pretrained"])
    search_backbones(take_backbone)
    prompts, templates = st.columns(2)
    with prompts:
        entries.ask("prompts.kind")
    with templates:
        entries.ask("prompts.templates")


def ask_method(entries: Entries) -> None:
    st.subheader("Method", anchor=False)
    schedule, balancing = st.columns(2)
    with schedule:
        entries.ask("schedule")
        for why in dict.fromkeys(reasons_of_schedule(entered()["schedule"]).values()):
            st.caption(why)
    with balancing:
        ask_balancing()
    entries.ask_in_columns(["phase_a.sampler", "phase_b.sampler", "phase_a.tuned"], columns=3)
    method = ask_phase_b_method(entries)
    if method != Ballad.name:
        entries.ask_in_columns(entries_of(method).values(), columns=3)
    entries.ask_in_columns(entries_of(Ballad.name).values())


def ask_phase_b_method(entries: Entries) -> str:
    entries.ask("phase_b.method")
    head = HEADS[entries.values["phase_b.method"]]
    st.caption(f"{head.help} {head.formula}. {head.paper}")
    return head.name


def ask_balancing() -> None:
    """A shortcut that sets both samplers, and always shows what they amount to."""
    now = entered()
    one_phase = len(SCHEDULES[now["schedule"]].phases) < 2
    st.session_state[BALANCING_KEY] = balancing_of(now)
    st.segmented_control(
        "Balancing phase",
        BALANCING,
        key=BALANCING_KEY,
        disabled=one_phase,
        help=f"**This schedule does not have two phases: choose the sampler below.** {BALANCING_HELP}"
        if one_phase
        else BALANCING_HELP,
        on_change=follow_balancing,
        required=True,
    )


def ask_training(entries: Entries) -> None:
    st.subheader("Training", anchor=False)
    entries.ask_in_columns(["phase_a.epochs", "phase_b.epochs", SEEDS], columns=3)
    device, executor = st.columns(2)
    with device:
        entries.ask("runtime.device", names=list(dict.fromkeys(["auto", *list_devices(), "cpu"])))
    with executor:
        entries.ask(EXECUTOR)
    entries.ask_in_columns(["name", "notes"])


def ask_advanced(entries: Entries) -> None:
    with st.expander("Advanced", icon=":material/tune:"):
        for tab, paths in zip(st.tabs(list(ADVANCED)), ADVANCED.values(), strict=True):
            with tab:
                entries.ask_in_columns(paths)


def ask_all() -> dict[str, object]:
    entries = Entries(reasons(entered()))
    ask_data_and_model(entries)
    ask_method(entries)
    ask_training(entries)
    ask_advanced(entries)
    return {**draft(), **entries.values}


def requested() -> Request:
    """What the form asks for; typed paths must lie inside the data roots. Raises SettingsError or DataError."""
    request = request_of(draft())
    check_backbone_paths(request.experiment.backbone)
    source = dataset_source(request.experiment.dataset.source)
    return replace(request, experiment=request.experiment.with_values({"dataset.source": source}))


def launch(request: Request) -> None:
    store = editing_store()
    if len(request.seeds) == 1:
        run_id = queue_run(store, request.experiment, executor=request.executor)
        st.switch_page(RUN, query_params={"run": run_id})
    group = queue_sweep(store, request.experiment, {"seed": request.seeds}, executor=request.executor)
    st.switch_page(RUNS, query_params={"run": store.group_ids(group)})


problem = open_form(open_store())
if problem:
    st.warning(sentence_as_text(problem), icon=":material/link_off:")
starting_points(all_runs())
form, beside = st.columns([3, 2], gap="large")
with form:
    keep(ask_all())
with beside:
    try:
        request = requested()
    except BalladError as error:
        show_error(error)
        stop()
    remember_in_url(request)
    launcher = st.container()
    could_work = show_outlook(request)
    label = f"Launch {counted(len(request.seeds), 'run')}"
    if change_button(
        label,
        button=launcher.button,
        type="primary",
        icon=":material/rocket_launch:",
        width="stretch",
        disabled=not could_work,
        help=None if could_work else "First fix the problem described below.",
    ):
        launch(request)
