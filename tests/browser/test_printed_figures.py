"""PDF, SVG and PNG of a figure are one picture; nothing of it is cut, and no two of its labels lie on each other."""

import io
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from dashboard.exports.engine import has_engine
from dashboard.exports.figure_formats.drawn import PDF, PNG, SVG
from dashboard.exports.look import SIZES, Look
from tests.helpers.figure_kinds import FIGURE_KINDS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not has_engine(), reason="no Chromium or Chrome on this machine"),
    pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="poppler's pdftoppm is not on this machine"),
]

DOTS, PIXELS = 300, 96
"""Per inch, of PNG files and of figures."""
SHRINK = 2
"""Pictures are compared at half their resolution, where a letter still has a dozen dots."""
EDGE_DOTS = 2
INK = 40
"""How much darker than the paper a dot is that counts."""
SAME_PLACE_DOTS = 2
TILE = 4
LABELS = """
() => [...document.querySelectorAll("svg text")].flatMap((text) => {
  if (!text.textContent.trim() || getComputedStyle(text).opacity === "0") return [];
  // Each line of its own: a box around several would hold the room beside the short ones.
  const lines = text.querySelectorAll("tspan.line").length ? [...text.querySelectorAll("tspan.line")] : [text];
  return lines.filter((line) => line.textContent.trim()).map((line) => {
    const first = line.getExtentOfChar(0), last = line.getExtentOfChar(line.getNumberOfChars() - 1);
    // Of a line's extent, what letters fill: no line gap.
    const top = first.y + 0.2 * first.height, bottom = first.y + 0.85 * first.height;
    const left = first.x, right = last.x + last.width;
    const onScreen = (x, y) => new DOMPoint(x, y).matrixTransform(line.getScreenCTM());
    const corner = (x, y) => [onScreen(x, y).x, onScreen(x, y).y];
    return [line.textContent, [corner(left, top), corner(right, top), corner(right, bottom), corner(left, bottom)]];
  });
})
"""
Corners = Sequence[Sequence[float]]


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    return browser.new_context(device_scale_factor=DOTS / PIXELS / SHRINK).new_page()


@pytest.mark.parametrize("size", ["one_column", "two_columns"])
@pytest.mark.parametrize("kind", FIGURE_KINDS)
def test_every_format_shows_one_whole_picture(kind: str, size: str, page: Page) -> None:
    figure, look = FIGURE_KINDS[kind](), Look(SIZES[size], title=kind)
    png = _of_png(PNG.write(figure, look))
    svg, labels = _of_svg(page, SVG.write(figure, look), png)
    pdf = _of_pdf(PDF.write(figure, look))
    for other in (pdf, svg):
        assert np.abs(np.subtract(_ink_box(other), _ink_box(png))).max() <= SAME_PLACE_DOTS
        assert _apart(other, png) < 0.01
    assert not _ink_at_the_edge(png)
    assert _covering(labels) == []
    # So Plotly writes what a template asks for in vain.
    assert "-" not in [text for text, _ in labels]


@pytest.mark.parametrize("size", SIZES)
def test_a_heading_a_larger_font_and_fewer_parts_leave_the_picture_whole(size: str, page: Page) -> None:
    heading = "How many images of each shot group are recognised after Phase A, and after BALLAD with λ = 0.2"
    for kind in ("λ sweep", "embeddings by class", "comparison", "shot groups"):
        look = Look(SIZES[size], font_size=SIZES[size].font_size + 1, title=kind, heading=heading)
        png = _of_png(PNG.write(FIGURE_KINDS[kind](), look))
        _, labels = _of_svg(page, SVG.write(FIGURE_KINDS[kind](), look), png)
        assert not _ink_at_the_edge(png) and _covering(labels) == []
        assert "How many images" in " ".join(text for text, _ in labels)
    bare = Look(SIZES[size], without=frozenset({"legend", "titles", "names"}))
    png = _of_png(PNG.write(FIGURE_KINDS["embeddings by class"](), bare))
    _, labels = _of_svg(page, SVG.write(FIGURE_KINDS["embeddings by class"](), bare), png)
    assert labels == [] and not _ink_at_the_edge(png)


def test_files_carry_the_figures_title(tmp_path: Path) -> None:
    figure, look = go.Figure(go.Scatter(x=[1], y=[1])), Look(title="λ sweep of demo <RN50>")
    (tmp_path / "figure.pdf").write_bytes(PDF.write(figure, look))
    about = subprocess.run(["pdfinfo", tmp_path / "figure.pdf"], capture_output=True, text=True, check=True).stdout
    assert "Title:           λ sweep of demo <RN50>\n" in about
    assert b"<title>\xce\xbb sweep of demo &lt;RN50&gt;</title>" in SVG.write(figure, look)
    png = Image.open(io.BytesIO(PNG.write(figure, look)))
    assert png.text["Title"] == look.title and png.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def _of_png(content: bytes) -> np.ndarray:
    return _dots(Image.open(io.BytesIO(content)).convert("RGB").reduce(SHRINK))


def _of_pdf(content: bytes) -> np.ndarray:
    command = ["pdftoppm", "-r", str(DOTS / SHRINK), "-singlefile", "-"]
    return _dots(Image.open(io.BytesIO(subprocess.run(command, input=content, capture_output=True, check=True).stdout)))


def _of_svg(page: Page, content: bytes, png: np.ndarray) -> tuple[np.ndarray, list[tuple[str, Corners]]]:
    height, width = (round(dots * SHRINK * PIXELS / DOTS) for dots in png.shape[:2])
    page.set_viewport_size({"width": width, "height": height})
    page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{content.decode()}")
    return _dots(Image.open(io.BytesIO(page.screenshot())).convert("RGB")), page.evaluate(LABELS)


def _dots(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, dtype=np.int16)


def _ink(picture: np.ndarray) -> np.ndarray:
    return (255 - picture).max(axis=2) > INK


def _ink_box(picture: np.ndarray) -> tuple[int, ...]:
    rows, columns = np.flatnonzero(_ink(picture).any(axis=1)), np.flatnonzero(_ink(picture).any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


def _ink_at_the_edge(picture: np.ndarray) -> bool:
    inside = np.zeros(picture.shape[:2], dtype=bool)
    inside[EDGE_DOTS:-EDGE_DOTS, EDGE_DOTS:-EDGE_DOTS] = True
    return bool((_ink(picture) & ~inside).any())


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    """The share of tiles, each a third of a letter wide, whose mean colours are clearly different."""
    high, wide = np.minimum(one.shape[:2], other.shape[:2])
    tiles = [Image.fromarray(each[:high, :wide].astype(np.uint8)).reduce(TILE) for each in (one, other)]
    return float((np.abs(np.subtract(*map(_dots, tiles))).max(axis=2) > 48).mean())


def _covering(labels: list[tuple[str, Corners]]) -> list[tuple[str, str]]:
    corners = np.array([corners for _, corners in labels]).reshape(-1, 4, 2)
    low, high = corners.min(axis=1), corners.max(axis=1)
    near = ((low[:, None] < high) & (low < high[:, None])).all(axis=2)
    pairs = np.argwhere(np.triu(near, k=1))
    return [(labels[one][0], labels[other][0]) for one, other in pairs if _overlap(corners[one], corners[other])]


def _overlap(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two convex shapes overlap by more than half a pixel: no line along a side keeps them apart."""
    for shape in (one, other):
        for side in np.diff(shape, axis=0, append=shape[:1]):
            normal = np.array([-side[1], side[0]]) / (np.linalg.norm(side) or 1)
            here, there = one @ normal, other @ normal
            if min(here.max(), there.max()) - max(here.min(), there.min()) <= 0.5:
                return False
    return True
