"""Grids of pictures with the models' answers; pictures are loaded by address, so that a page stays light."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from ballad.analysis.predictions import Predictions
from ballad.errors import BalladError
from ballad.home import default_home
from ballad.sections import DatasetSettings
from ballad.wording import percent
from dashboard.theme import CORRECTNESS_COLOURS
from dashboard.ui.messages import show_error
from dashboard.ui.thumbnails import dataset_thumbnail_url, run_dataset, thumbnail_url

PICTURES_A_PAGE = 12

_STYLE = """
<style>
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(var(--card), 1fr)); gap: 12px; }
.gallery figure { margin: 0; padding: 10px; border-radius: 6px; font-size: 0.87rem; line-height: 1.4;
  border: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
.gallery .head { display: flex; gap: 10px; }
.gallery img { width: 112px; height: 112px; flex: none; object-fit: contain; border-radius: 4px;
  background: color-mix(in srgb, currentColor 6%, transparent); }
.gallery figure.plain img { width: 100%; height: 96px; }
.gallery figcaption { min-width: 0; overflow-wrap: anywhere; }
.gallery .muted { opacity: 0.72; }
.gallery .row { display: flex; gap: 6px; }
.gallery .row .share { margin-left: auto; padding-left: 8px; font-variant-numeric: tabular-nums; white-space: nowrap; }
.gallery .top { margin-top: 8px; }
</style>
"""


@dataclass(frozen=True)
class Opinion:
    """The classes that a model found most probable for a picture, best first, with their probabilities, 0 to 1."""

    classes: Sequence[int]
    probabilities: Sequence[float]

    @classmethod
    def of(cls, predictions: Predictions, index: int) -> "Opinion":
        return cls(predictions.top_classes[index].tolist(), predictions.top_probabilities[index].tolist())


def prediction_gallery(
    run_id: str,
    split: str,
    samples: Sequence[int],
    model: str,
    said: Mapping[str, Predictions],
    class_names: Sequence[str],
) -> None:
    """Pictures with their true class, the answer of every model in ``said`` (by title), and the five best classes of
    ``model``. If the run's pictures can no longer be found, a sentence says so, and the answers are shown alone.
    """
    found = run_pictures_found(run_id)
    cards = []
    for index in samples:
        true = int(said[model].labels[index])
        opinions = {each: Opinion.of(predictions, index) for each, predictions in said.items()}
        address = thumbnail_url(run_id, split, index) if found else None
        cards.append(_prediction_card(address, true, model, opinions, class_names))
    _grid(cards, width=290)


def picture_gallery(run_id: str, split: str, captions: Mapping[int, str]) -> None:
    """Pictures by the sample's index, each with a short line below; a sentence where they can no longer be found."""
    if run_pictures_found(run_id):
        _plain_grid({thumbnail_url(run_id, split, index): caption for index, caption in captions.items()})


def run_pictures_found(run_id: str) -> bool:
    """Whether the pictures that the run saw are still there; shows the sentence that says why not."""
    try:
        run_dataset(default_home(), run_id)
    except BalladError as error:
        show_error(error)
        return False
    return True


def dataset_gallery(settings: DatasetSettings, split: str, captions: Mapping[int, str]) -> None:
    """Pictures of a dataset that needs no run, by the sample's index, each with a short line below."""
    _plain_grid({dataset_thumbnail_url(settings, split, index): caption for index, caption in captions.items()})


def page_of(samples: Sequence[int], *, key: str, in_url: bool = True) -> Sequence[int]:
    """The samples of the page that the reader turned to; shows page numbers where one page does not hold them all.

    ``key`` names the samples, and is the query parameter of the page unless the samples themselves are not in the URL.
    """
    pages = -(-len(samples) // PICTURES_A_PAGE)
    page = st.pagination(pages, key=key, bind="query-params" if in_url else None) if pages > 1 else 1
    return samples[(page - 1) * PICTURES_A_PAGE : page * PICTURES_A_PAGE]


def _prediction_card(
    address: str | None, true: int, model: str, opinions: Mapping[str, Opinion], class_names: Sequence[str]
) -> str:
    def name(class_id: int) -> str:
        return escape(class_names[class_id])

    own = opinions[model]
    answers = "".join(
        _row(_mark(said.classes[0] == true), f"{escape(each)}: {name(said.classes[0])}", said.probabilities[0])
        for each, said in opinions.items()
    )
    best = "".join(
        _row(f"{rank}.", f"<b>{name(each)}</b>" if each == true else name(each), probability)
        for rank, (each, probability) in enumerate(zip(own.classes, own.probabilities, strict=True), start=1)
    )
    head = (
        f'<div class="head">{_image(address, class_names[true]) if address else ""}<figcaption style="flex: 1">'
        f'<span class="muted">True class</span><br><b>{name(true)}</b><br>{answers}</figcaption></div>'
    )
    return f'<figure>{head}<div class="top"><span class="muted">Best of {escape(model)}</span>{best}</div></figure>'


def _plain_grid(captions: Mapping[str, str]) -> None:
    """Pictures by address."""
    cards = [
        f'<figure class="plain">{_image(address, caption)}<figcaption>{escape(caption)}</figcaption></figure>'
        for address, caption in captions.items()
    ]
    _grid(cards, width=120)


def _image(address: str, text: str) -> str:
    return f'<img src="{escape(address)}" alt="{escape(text)}" loading="lazy">'


def _row(mark: str, text: str, probability: float) -> str:
    share = f'<span class="share">{percent(100 * probability)}</span>'
    return f'<div class="row"><span>{mark}</span><span>{text}</span>{share}</div>'


def _mark(correct: bool) -> str:
    sign, word = ("✓", "correct") if correct else ("✗", "wrong")
    return f'<b style="color: {CORRECTNESS_COLOURS[word]}" title="{word}">{sign}</b>'


def _grid(cards: Sequence[str], *, width: int) -> None:
    st.html(f'{_STYLE}<div class="gallery" style="--card: {width}px">{"".join(cards)}</div>')
