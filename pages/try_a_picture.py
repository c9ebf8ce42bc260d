"""Try a picture: what zero-shot, Phase A and BALLAD make of it, and the training pictures most similar to it."""

from typing import Any

import streamlit as st

from ballad.schedules import model_title
from ballad.stages.plan import SplitName
from ballad.store.tasks import Task, task_id
from ballad.work.uploads import is_kept, keep_upload, preview_path
from dashboard.access import editor, visitor, why_not_edit
from dashboard.figures.confusion import distinct_labels
from dashboard.pickers.class_picker import pick_class
from dashboard.pickers.current_run import current_finished_run
from dashboard.reading.loaders import SPLIT_TITLES, evaluated_splits, evaluation
from dashboard.reading.workbench import open_store
from dashboard.text import as_text
from dashboard.ui.downloads import table_downloads
from dashboard.ui.gallery import picture_gallery
from dashboard.ui.messages import shown_errors
from dashboard.ui.stop import stop
from dashboard.ui.tasks import open_tasks, show_unfinished
from dashboard.ui.thumbnails import run_dataset, thumbnail
from dashboard.views.try_a_picture.picture_view import (
    answers_table,
    find_sample,
    random_sample,
    sample_name,
    show_answers,
)

UPLOAD, SAMPLE = "picture", "sample"
KINDS = ["jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"]
MEGABYTES = 20
SOURCES = {"upload": "Upload one", "split": "Choose one from the dataset"}


def pick_source() -> str:
    return st.segmented_control(
        "Picture",
        list(SOURCES),
        default="split" if SAMPLE in st.query_params else "upload",
        format_func=SOURCES.__getitem__,
        key="source",
        required=True,
        bind="query-params",
    )


def pick_upload() -> dict[str, Any] | None:
    """The arguments that name a picture for a prediction task; None as long as none is chosen."""
    refusal = why_not_edit()
    file = st.file_uploader(
        "Any picture",
        type=KINDS,
        max_upload_size=MEGABYTES,
        key="upload",
        disabled=refusal is not None,
        help=refusal and as_text(refusal),
    )
    if file is not None:
        editor()
        st.query_params[UPLOAD] = keep_upload(open_store().home, file.getvalue())
    name = st.query_params.get(UPLOAD, "")
    return {"upload": name} if is_kept(open_store().home, name) else None


def pick_sample(run_id: str) -> dict[str, Any] | None:
    """As :func:`pick_upload`, for a picture that the run was evaluated on."""
    splits = evaluated_splits(run_id)
    per_class = evaluation(run_id, "zero_shot", splits[0]).per_class
    names = distinct_labels(range(len(per_class)), per_class["class_name"].tolist())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        split = st.segmented_control(
            "Split",
            splits,
            default=splits[0],
            format_func=SPLIT_TITLES.__getitem__,
            key="split",
            required=True,
            bind="query-params",
        )
        class_id = pick_class(names, placeholder="Any class")
        st.button("Choose one at random", icon=":material/shuffle:", on_click=draw, args=(run_id, split, class_id))
    with shown_errors():
        return known_sample(run_id, split)
    return None


def known_sample(run_id: str, split: SplitName) -> dict[str, Any] | None:
    """The picture named in the link, which keeps its name from now on; None if this run does not have it."""
    asked = st.query_params.get(SAMPLE, "")
    if not asked:
        return None
    dataset = run_dataset(open_store().home, run_id)
    index = find_sample(dataset, split, asked)
    if index is None:
        st.caption(
            f"This run's {SPLIT_TITLES[split].lower()} split does not contain the picture named in the link, "
            f"{as_text(asked)}."
        )
        return None
    if (name := sample_name(dataset, split, index)) != asked:
        st.query_params[SAMPLE] = name
    return {"split": split, "index": index}


def draw(run_id: str, split: SplitName, class_id: int | None) -> None:
    index = random_sample(run_id, split, class_id)
    if index is not None:
        st.query_params[SAMPLE] = str(index)


def answer(run_id: str, picture: dict[str, Any]) -> dict[str, Any] | None:
    """What the models say; until it is known, shows where the task stands."""
    arguments = {"run": run_id, **picture}
    task = open_tasks().find(task_id("prediction", arguments)) or ask(arguments)
    if not show_unfinished(task, "Asking the models") and task.status == "cancelled":
        st.button("Ask the models", type="primary", on_click=ask, args=(arguments,))
    return task.result if task.status == "done" else None


def ask(arguments: dict[str, Any]) -> Task:
    """Guests may ask as well: an answer changes nothing."""
    return open_tasks().ask("prediction", arguments, asked_by=visitor())


def show_picture(run_id: str, picture: dict[str, Any]) -> str | None:
    """The picture itself; returns its true class where that is known."""
    if "upload" in picture:
        preview = preview_path(open_store().home, picture["upload"])
        st.image(preview, width="stretch", caption="The uploaded picture")
        return None
    evaluated = evaluation(run_id, "zero_shot", picture["split"])
    true = evaluated.per_class["class_name"].iloc[evaluated.predictions.labels[picture["index"]]]
    with shown_errors():
        data = thumbnail(run_id, picture["split"], picture["index"])
        st.image(data, width="stretch", caption=f"True class: {as_text(true)}")
    return true


def nearest(run_id: str, result: dict[str, Any]) -> None:
    st.subheader(
        "Nearest training pictures",
        anchor=False,
        help=f"By cosine similarity of the image features of {model_title(result['nearest_by'])}.",
    )
    if not result["nearest"]:
        st.info(
            "This run kept no features of its training pictures; only runs that train Phase B on stored features keep "
            "them.",
            icon=":material/info:",
        )
        return
    with shown_errors():
        dataset = run_dataset(open_store().home, run_id)
        names, labels = dataset.class_names, dataset.train.labels
        captions = {
            index: f"{names[labels[index]]} · similarity {similarity:.2f}" for index, similarity in result["nearest"]
        }
        picture_gallery(run_id, "train", captions)


run = current_finished_run(
    "Once a run has finished, you can show its models any picture here.",
    ":material/image_search:",
)

run_id = run["id"]
source = pick_source()
picture = pick_upload() if source == "upload" else pick_sample(run_id)
if picture is None:
    stop()
said = answer(run_id, picture)
if said is None:
    stop()
left, right = st.columns([1, 3])
with left:
    true = show_picture(run_id, picture)
with right:
    show_answers(said["ranked"], true)
    label = run["label"]
    which = "an uploaded picture" if "upload" in picture else f"{picture['split']} picture {picture['index']}"
    table_downloads(
        f"predictions of {which} {label}",
        answers_table(said["ranked"]),
        caption=f"Most probable classes of {which}, {label}.",
        key="answers",
    )
nearest(run_id, said)
