"""A reader's way through the workbench: launch, watch, sweep, look inside, take away. One server, one finished run."""

import re
from pathlib import Path
from typing import get_args
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Download, Locator, Page, expect

from tests.browser.conftest import ROOT, Look, OpenPage, settled

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
SHORT = {
    "name": "Short",
    "dataset.classes": 12,
    "phase_a.epochs": 2,
    "phase_a.learning_rate": 7e-4,
    "phase_a.batch_size": 64,
    "phase_b.epochs": 6,
    "phase_b.batch_size": 64,
}
"""The demo's images and backbone, but fewer classes and epochs."""

# Plotly's own list of what it drew; a trace without points has one empty entry.
MOST_POINTS = "chart => Math.max(0, ...chart.calcdata.map(trace => trace.filter(point => 'y' in point).length))"


def chart(page: Page, label: str) -> Locator:
    return page.locator(f".ballad-chart[aria-label^='{label}']")


def points_drawn(page: Page, label: str) -> int:
    return chart(page, label).evaluate(f"chart => ({MOST_POINTS})(chart)")


def await_points(page: Page, label: str, least: int) -> None:
    page.wait_for_function(
        f"([label, least]) => {{ const chart = document.querySelector(`.ballad-chart[aria-label^='${{label}}']`);"
        f" return chart?.calcdata && ({MOST_POINTS})(chart) >= least; }}",
        arg=[label, least],
    )


def zoom_in(page: Page, label: str) -> None:
    chart(page, label).scroll_into_view_if_needed()
    left, top, width, height = plot_area(page, label)
    page.mouse.move(left + 0.2 * width, top + 0.2 * height)
    page.mouse.down()
    page.mouse.move(left + 0.8 * width, top + 0.8 * height, steps=5)
    page.mouse.up()


def hide(page: Page, label: str, trace: str) -> None:
    """Click a trace in the legend; Plotly waits a moment for a second click."""
    page.locator(f".ballad-chart[aria-label^='{label}'] .legend .traces", has_text=trace).locator(
        ".legendtoggle"
    ).click()
    page.wait_for_function(
        f"[...document.querySelector(`.ballad-chart[aria-label^='{label}']`)._fullData]"
        f".some(trace => trace.name === '{trace}' && trace.visible === 'legendonly')"
    )


def view(page: Page, label: str) -> dict[str, list]:
    """What the reader has chosen to see of a chart."""
    return chart(page, label).evaluate(
        "chart => ({ x: chart._fullLayout.xaxis.range, y: chart._fullLayout.yaxis.range,"
        " hidden: chart._fullData.filter(trace => trace.visible === 'legendonly').map(trace => trace.name) })"
    )


def plot_area(page: Page, label: str) -> tuple[float, float, float, float]:
    """Left, top, width and height in the window, in pixels."""
    return chart(page, label).evaluate(
        "chart => { const box = chart.getBoundingClientRect(); const { xaxis, yaxis } = chart._fullLayout;"
        " return [box.left + xaxis._offset, box.top + yaxis._offset, xaxis._length, yaxis._length]; }"
    )


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlparse(page.url).query)


@pytest.fixture(scope="session")
def run_ids() -> dict[str, str]:
    """What the first tests launched, for those that look at it."""
    return {}


@pytest.fixture
def finished(run_ids: dict[str, str]) -> str:
    if "finished" not in run_ids:
        pytest.skip("the run that this test looks at did not finish")
    return run_ids["finished"]


def test_the_demo_runs_from_home_can_be_cancelled_and_goes_on(open_page: OpenPage):
    page = open_page()
    expect(page.get_by_text("No runs yet")).to_be_visible()
    page.get_by_role("button", name="Run the demo").click()
    expect(page).to_have_url(re.compile(r"/run\?run="))
    expect(page.get_by_text(re.compile(r"Phase A · epoch \d+ of 10"))).to_be_visible()

    cancel = page.get_by_test_id("stProgress").locator("xpath=ancestor::*[.//button][1]").get_by_role("button")
    cancel.click()
    expect(page.get_by_test_id("stMarkdown").get_by_text("cancelled")).to_be_visible()
    page.get_by_role("button", name="Resume or retry").click()
    expect(page.get_by_text(re.compile(r"Phase A · epoch \d+ of 10"))).to_be_visible()
    expect(page.get_by_text("2 attempts")).to_be_visible()

    cancel.click()
    expect(page.get_by_test_id("stMarkdown").get_by_text("cancelled")).to_be_visible()


def test_a_run_launched_from_a_link_draws_growing_curves(open_page: OpenPage, run_ids: dict[str, str]):
    page = open_page("new_experiment", "&".join(f"set={name}={value}" for name, value in SHORT.items()))
    expect(page.get_by_role("spinbutton", name="Epochs of Phase A")).to_have_value("2")
    page.get_by_role("button", name="Launch 1 run").click()
    expect(page).to_have_url(re.compile(r"/run\?run="))

    label = "Validation accuracy"
    await_points(page, label, 1)
    at_first = points_drawn(page, label)
    zoom_in(page, label)
    hide(page, label, "few")
    seen = view(page, label)
    expect(page.get_by_test_id("stMarkdown").get_by_text("done")).to_be_visible()
    settled(page)
    assert points_drawn(page, label) > at_first
    assert view(page, label) == seen and seen["hidden"] == ["few"]
    run_ids["finished"] = query(page)["run"][0]


def test_a_sweep_finds_phase_a_and_draws_a_point_for_every_factor(open_page: OpenPage, finished: str):
    page = open_page("lambda_sweep", f"base={finished}&factors=0,0.2,1&seeds=0")
    expect(page.get_by_text("Phase A has already been trained")).to_be_visible()
    page.get_by_role("button", name="Launch 3 runs").click()
    label = "Accuracy of each shot group against"
    await_points(page, label, 3)
    expect(page.get_by_text(re.compile("failed or stopped"))).to_have_count(0)
    expect(page.get_by_test_id("stProgress")).to_have_count(0)
    assert "sweep" in query(page)
    settled(page)
    chart(page, label).scroll_into_view_if_needed()
    run_id, left, top = chart(page, label).evaluate(
        "chart => { const place = chart._fullData.findIndex(trace => trace.mode === 'markers');"
        " const { x, y } = chart.calcdata[place][2]; const { xaxis, yaxis } = chart._fullLayout;"
        " const box = chart.getBoundingClientRect(); return [chart._fullData[place].customdata[2][0],"
        " box.left + xaxis._offset + xaxis.l2p(x), box.top + yaxis._offset + yaxis.l2p(y)]; }"
    )
    page.mouse.move(left, top)
    page.mouse.click(left, top)
    expect(page).to_have_url(re.compile(rf"/run\?run={run_id}"))
    expect(chart(page, "Validation accuracy")).to_be_visible()


def test_a_click_on_a_confusion_cell_shows_its_pictures(open_page: OpenPage, finished: str):
    page = open_page("confusion", f"run={finished}&show=All classes")
    matrix = chart(page, "Confusion of classes")
    matrix.scroll_into_view_if_needed()
    row, column = matrix.evaluate(
        "chart => { const z = chart.calcdata[0][0].z; const n = z.length;"
        " for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) if (z[i][j] > 0) return [i, j]; }"
    )
    left, top = matrix.evaluate(
        "(chart, [row, column]) => { const box = chart.getBoundingClientRect();"
        " const { xaxis, yaxis } = chart._fullLayout;"
        " return [box.left + xaxis._offset + xaxis.l2p(column), box.top + yaxis._offset + yaxis.l2p(row)]; }",
        [row, column],
    )
    page.mouse.move(left, top)
    page.mouse.click(left, top)
    picture = page.locator(".gallery img").first
    expect(picture).to_be_visible()
    picture.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.gallery img').naturalWidth > 0")
    assert len(query(page)["cell"]) == 2
    for model in ("Zero-shot", "Phase A", "BALLAD"):
        expect(page.locator(".gallery figure").first.get_by_text(f"{model}:")).to_be_visible()


def test_a_lasso_on_the_embeddings_shows_the_pictures_inside(open_page: OpenPage, finished: str):
    page = open_page("embeddings", f"left={finished}&right={finished}&classes=Shot groups&perplexity=5&limit=100")
    page.get_by_role("button", name="Compute this map").click()
    plane = chart(page, "Images on a plane")
    expect(plane.locator(".main-svg").first).to_be_visible()
    settled(page)
    plane.scroll_into_view_if_needed()
    left, top, width, height = plot_area(page, "Images on a plane")
    corners = [(0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98), (0.02, 0.02)]
    page.mouse.move(left + corners[0][0] * width, top + corners[0][1] * height)
    page.mouse.down()
    for across, down in corners[1:]:
        page.mouse.move(left + across * width, top + down * height, steps=8)
    page.mouse.up()
    expect(page.get_by_text(re.compile(r"\d+ selected images?"))).to_be_visible()
    expect(page.locator(".gallery img").first).to_be_visible()


def test_a_deep_link_shows_the_same_after_a_reload(open_page: OpenPage, finished: str):
    chosen = "model=Zero-shot&split=Validation&show=Most confused&order=Name&cell=2-2"
    page = open_page("confusion", f"run={finished}&{chosen}")

    def state() -> str:
        expect(page.get_by_role("heading", name=re.compile("recognised correctly"))).to_be_visible()
        settled(page)
        return page.get_by_test_id("stMain").inner_text()

    before = state()
    assert re.search(r"of the validation split, by .*zero-shot", before, re.IGNORECASE)
    page.reload()
    assert state() == before


def test_exports_open(open_page: OpenPage, finished: str, tmp_path: Path):
    page = open_page("compare", f"run={finished}&models=Every model")

    def download(popover: int, button: str) -> bytes:
        page.get_by_role("button", name="Export", exact=False).nth(popover).click()
        with page.expect_download() as started:
            page.get_by_test_id("stPopoverBody").get_by_role("button", name=button, exact=True).click()
        page.keyboard.press("Escape")
        settled(page)  # closing it runs the page again, whose buttons then are others
        return saved(started.value, tmp_path)

    pdf = download(0, "Download PDF")
    assert pdf.startswith(b"%PDF-") and b"%%EOF" in pdf[-32:]
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    latex = download(1, "LaTeX").decode()
    assert "\\begin{tabular}" in latex and "\\toprule" in latex and "\\bottomrule" in latex
    for group in ("Many", "Medium", "Few", "All"):
        assert group in latex


def saved(download: Download, folder: Path) -> bytes:
    path = folder / download.suggested_filename
    download.save_as(path)
    return path.read_bytes()


def test_a_leaderboard_fills_and_says_what_to_choose(open_page: OpenPage):
    page = open_page("leaderboard", "methods=BALLAD&methods=Nearest+class+mean&seeds=1")
    page.get_by_role("button", name="Launch 2 runs").click()
    await_points(page, "Few-shot against many-shot accuracy", 1)
    expect(page.get_by_test_id("stProgress")).to_have_count(0)
    settled(page)
    expect(page.get_by_text("is the best on validation")).to_be_visible()
    assert "board" in query(page) and points_drawn(page, "Few-shot against many-shot accuracy") >= 1


@pytest.mark.parametrize("look", get_args(Look))
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_whole_in_light_and_dark(open_page: OpenPage, name: str, look: Look):
    page = open_page("" if name == "home" else name, look=look)
    background = page.get_by_test_id("stApp").evaluate("app => getComputedStyle(app).backgroundColor")
    red, green, blue = map(int, re.findall(r"\d+", background)[:3])
    assert (red + green + blue < 3 * 128) == (look == "dark")
    for drawn in page.locator(".ballad-chart").all():
        colour = drawn.evaluate("chart => chart._fullLayout.font.color")
        assert colour == drawn.evaluate("(chart, dark) => chart.layout.template.layout.font.color", look == "dark")
