import io
import json
import re
import struct
import xml.etree.ElementTree as ElementTree
import zipfile

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from ballad.errors import RunError
from ballad.experiment import Experiment
from dashboard.exports.choice import ExportChoice, parse_choice
from dashboard.exports.engine import draw, has_engine
from dashboard.exports.figure_formats.html import html_page
from dashboard.exports.format import TableText
from dashboard.exports.look import SIZES, Look
from dashboard.exports.names import file_name
from dashboard.exports.pack import NamedFigure, NamedTable, export_pack
from dashboard.exports.paper_figure import paper_figure, parts_of
from dashboard.exports.registry import FIGURE_FORMATS
from dashboard.exports.table_formats.csv import csv_table
from dashboard.exports.table_formats.latex import latex_table
from dashboard.exports.table_formats.markdown import markdown_table
from tests.helpers.figure_kinds import FIGURE_KINDS

needs_engine = pytest.mark.skipif(not has_engine(), reason="no Chromium or Chrome on this machine")
PLAIN = TableText(caption="", label="")
TABLE = pd.DataFrame({"setting": ["a_b & 50%", "λ × 2 | c"], "few": [41.26, np.nan], "all": ["67.2 ± 0.3", "–"]})


def figure(trace=go.Scatter) -> go.Figure:
    return go.Figure(trace(x=np.arange(3), y=np.array([1.0, 3.0, 2.0]), mode="lines+markers", name="few"))


def picture(shown: go.Figure, extension: str, size: str = "two_columns") -> bytes:
    return FIGURE_FORMATS[extension].write(shown, Look(SIZES[size]))


class TestPictures:
    @needs_engine
    def test_pdf_has_the_column_width_of_the_paper(self):
        pdf = picture(figure(), "pdf", "one_column")
        assert pdf.startswith(b"%PDF-")
        width, height = (float(number) for number in re.search(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", pdf).groups())
        assert width / 72 == pytest.approx(3.25, abs=0.02)
        assert height / 72 == pytest.approx(2.4, abs=0.02)
        assert len(re.findall(rb"/Type ?/Page\b", pdf)) == 1

    @needs_engine
    def test_svg_draws_few_webgl_points_as_vectors(self):
        svg = picture(figure(go.Scattergl), "svg")
        ElementTree.fromstring(svg)
        assert b"<image" not in svg and b"<canvas" not in svg

    @needs_engine
    def test_png_has_300_dots_an_inch(self):
        png = picture(figure(), "png", "one_column")
        width, height = struct.unpack(">II", png[16:24])
        assert width == 975 and height == 725  # 232 pixels, whole points

    @needs_engine
    def test_engine_goes_on_after_a_figure_it_cannot_draw(self):
        with pytest.raises(RunError, match=r"could not be drawn as GIF"):
            draw(figure(), {"format": "gif", "width": 100, "height": 100, "scale": 1})
        assert picture(figure(), "svg")

    def test_without_a_browser_the_reader_learns_what_to_do(self, monkeypatch):
        monkeypatch.setattr("choreographer.browsers.Chromium.find_browser", lambda **_: None)
        assert not has_engine()
        with pytest.raises(RunError, match=r"needs Chromium or Chrome.*HTML file"):
            picture(figure(), "pdf")
        packed = zipfile.ZipFile(io.BytesIO(export_pack([NamedFigure("f", "F", figure(), TABLE)], [], {})))
        assert "figures/f.html" in packed.namelist() and "figures/f.pdf" not in packed.namelist()
        assert "needs Chromium" in packed.read("README.md").decode()

    def test_many_webgl_points_stay_a_bitmap(self):
        many = go.Figure(go.Scattergl(x=np.arange(6000), y=np.arange(6000)))
        assert paper_figure(many, Look(SIZES["slide"])).data[0].type == "scattergl"
        assert paper_figure(figure(go.Scattergl), Look(SIZES["slide"])).data[0].type == "scatter"

    def test_fonts_have_the_size_of_the_page(self):
        template = paper_figure(figure(), Look(SIZES["two_columns"])).layout.template
        assert template.layout.font.size == pytest.approx(8 * 96 / 72)
        assert template.layout.paper_bgcolor == "#ffffff"

    def test_rows_keep_their_height_relative_to_the_font(self):
        rows = figure().update_layout(height=650)
        assert paper_figure(rows, Look(SIZES["two_columns"])).layout.height == 536  # 650 · 10.67 / 13 is 533.3
        assert paper_figure(rows, Look(SIZES["slide"])).layout.height == 540  # 5.6 in are 537.6

    def test_a_long_legend_and_lines_of_titles_come_on_top_of_the_height(self):
        size = SIZES["one_column"]
        plain = paper_figure(figure(), Look(size)).layout.height
        many = go.Figure([go.Scatter(name=f"a rather long name, number {number}") for number in range(10)])
        assert plain == 232  # 2.4 in are 230.4
        assert paper_figure(many, Look(size)).layout.height == 404  # 230.4 + 9 · 19
        titled = figure().update_layout(margin={"t": 90})
        assert paper_figure(titled, Look(size)).layout.height == 296  # 230.4 + 90 · 9.33 / 13

    def test_as_many_classes_are_named_as_fit(self):
        names = {"tickvals": np.arange(60), "ticktext": [f"class {number}" for number in range(60)]}
        bars = go.Figure(go.Bar(x=np.arange(60), y=np.arange(60))).update_xaxes(names)
        assert paper_figure(bars, Look(SIZES["one_column"])).layout.xaxis.ticktext[:2] == ("class 0", "class 4")
        heatmap = go.Figure(go.Heatmap(z=np.eye(60))).update_xaxes(names).update_yaxes(names)
        axis = paper_figure(heatmap, Look(SIZES["one_column"])).layout.yaxis
        assert axis.ticktext[:2] == ("class 0", "class 4") and list(axis.tickvals[:2]) == [0, 4]

    def test_sheets_are_of_whole_points(self):
        heights = [
            paper_figure(make(), Look(SIZES[size])).layout.height for make in FIGURE_KINDS.values() for size in SIZES
        ]
        assert all(height % 4 == 0 for height in heights)

    def test_parts_are_those_a_figure_has_and_they_can_be_left_out(self):
        shown = FIGURE_KINDS["embeddings by class"]()
        assert parts_of(shown) == ["legend", "titles", "names"]
        bare = paper_figure(shown, Look(without=frozenset(parts_of(shown))))
        assert parts_of(bare) == [] and {trace.mode for trace in bare.data} == {"markers"}
        # The title of axes stays, and so does a message that is all there is.
        swept = paper_figure(FIGURE_KINDS["λ sweep of samplers"](), Look(without=frozenset({"titles"})))
        assert [each.text for each in swept.layout.annotations] == ["Residual factor λ"]
        assert parts_of(FIGURE_KINDS["nothing to draw"]()) == []

    def test_values_without_room_between_parallel_axes_get_numbers(self):
        shown = FIGURE_KINDS["parallel coordinates"]()
        assert paper_figure(shown, Look(SIZES["slide"])).data[0].dimensions[1].ticktext[0] == "class_balanced"
        narrow = paper_figure(shown, Look(SIZES["one_column"]))
        assert narrow.data[0].dimensions[1].ticktext == ("1", "2", "3", "4")
        assert "1 class_balanced, 2 instance, 3" in narrow.layout.annotations[0].text

    def test_the_figure_on_screen_is_left_alone(self):
        shown = figure()
        before = shown.to_json()
        paper_figure(shown, Look(SIZES["one_column"]))
        html_page(shown)
        assert shown.to_json() == before

    def test_html_leaves_room_for_what_the_figure_has_above_it(self):
        page = html_page(figure().update_layout(margin={"t": 99})).decode()
        margins = [json.loads(margin) for margin in re.findall(r'"margin":(\{[^}]*\})', page)]
        assert {"l": 60, "r": 20, "t": 99, "b": 50} in margins

    def test_html_needs_no_network(self):
        page = html_page(figure()).decode()
        assert page.startswith("<!doctype html>") and 'src="http' not in page


class TestChoice:
    @pytest.mark.parametrize(
        "choice",
        [ExportChoice(), ExportChoice("slide", 9.5, True, frozenset({"legend", "names"}), "svg")],
        ids=["plain", "all chosen"],
    )
    def test_a_link_remembers_it(self, choice):
        assert parse_choice(choice.text()) == choice

    def test_it_reads_well(self):
        assert ExportChoice("one_column", 9, True, frozenset({"legend"})).text() == "one_column,9,heading,-legend,pdf"

    def test_a_link_that_says_something_else_is_understood_as_far_as_it_goes(self):
        assert parse_choice("poster,900,-shadow,gif") == ExportChoice()
        assert parse_choice("nan,slide,png") == ExportChoice("slide", extension="png")

    def test_the_heading_is_the_figures_title(self):
        assert ExportChoice(heading=True).look("λ sweep").heading == "λ sweep" == ExportChoice().look("λ sweep").title


class TestTables:
    def test_latex_is_escaped_and_balanced(self):
        text = latex_table(TABLE, TableText("50% of λ", "tab:x")).decode()
        assert r"a\_b \& 50\% & 41.3 & 67.2 $\pm$ 0.3 \\" in text
        assert r"$\lambda$ $\times$ 2 \textbar{} c & -- & -- \\" in text
        assert r"\caption{50\% of $\lambda$}" in text and r"\label{tab:x}" in text
        assert r"\begin{tabular}{lrr}" in text
        for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
            assert text.count(rule) == 1
        body = text.replace(r"\{", "").replace(r"\}", "").replace(r"\$", "")
        assert body.count("{") == body.count("}") and body.count("$") % 2 == 0
        assert re.findall(r"\\begin{(\w+)}", text) == re.findall(r"\\end{(\w+)}", text)[::-1]
        assert text.isascii()

    def test_latex_reads_no_command_from_names_or_captions(self):
        table = pd.DataFrame({r"a\input{x}": [r"\write18{rm} <a|b> x^2~y"]})
        text = latex_table(table, TableText("\\input{secrets}\n\nnext", "tab:x")).decode()
        assert r"\caption{\textbackslash{}input\{secrets\} next}" in text
        assert r"a\textbackslash{}input\{x\} \\" in text
        cell = r"\textbackslash{}write18\{rm\} \textless{}a\textbar{}b\textgreater{}"
        assert rf"{cell} x\textasciicircum{{}}2\textasciitilde{{}}y \\" in text

    def test_csv_holds_no_formulas_and_keeps_signed_numbers(self):
        cells = ["=1+1", "+A1", "-2+3", "@SUM(A1)", "\t=1", " =1", "a=b", "-0.3", "−5.0 [−7.1, -2.9]*", "+1.2 ± 0.4"]
        table = pd.DataFrame({"=cmd": cells, "number": [-float(place) for place in range(len(cells))]})
        read = pd.read_csv(io.BytesIO(csv_table(table)))
        assert read["'=cmd"].tolist() == [*(f"'{cell}" for cell in cells[:6]), *cells[6:]]
        assert read["number"].tolist() == table["number"].tolist()

    def test_markdown_keeps_its_columns(self):
        lines = markdown_table(TABLE, PLAIN).decode().splitlines()
        assert lines[0] == "| setting | few | all |"
        assert lines[1] == "| --- | ---: | ---: |"
        assert lines[3] == r"| λ × 2 \| c | – | – |"

    def test_each_column_can_have_its_own_decimals(self):
        table = pd.DataFrame({"silhouette": [0.3612], "purity": [78.71]})
        text = TableText("", "", digits={"silhouette": 3})
        assert "0.361 & 78.7" in latex_table(table, text).decode()
        assert "| 0.361 | 78.7 |" in markdown_table(table, text).decode()

    def test_csv_round_trips_with_all_digits(self):
        pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(csv_table(TABLE))), TABLE)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("λ sweep", "demo RN50"), "lambda-sweep_demo-rn50.pdf"),
        (("../../etc/passwd",), "etc-passwd.pdf"),
        (("Zürich: a/b\\c",), "zurich-a-b-c.pdf"),
        (("日本",), "export.pdf"),
        (("x" * 300,), "x" * 150 + ".pdf"),
    ],
)
def test_file_names_are_plain(parts, expected):
    assert file_name(*parts, extension="pdf") == expected


@needs_engine
def test_pack_holds_everything_and_says_what():
    table = NamedTable("Table 7", "Where to balance", TABLE)
    drawing = NamedFigure("accuracy curves", "Accuracy by epoch", figure(), TABLE)
    settings = {"run one": Experiment(seed=3, budget="tiny")}
    packed = zipfile.ZipFile(io.BytesIO(export_pack([drawing], [table], settings, formats=[FIGURE_FORMATS["pdf"]])))
    assert set(packed.namelist()) == {
        "figures/accuracy-curves.pdf",
        "figures/accuracy-curves.html",
        "figures/accuracy-curves_data.csv",
        "figures/plotly.min.js",
        "tables/table-7.csv",
        "tables/table-7.tex",
        "tables/table-7.md",
        "settings/run-one.yaml",
        "versions.txt",
        "README.md",
    }
    readme = packed.read("README.md").decode()
    assert "**Reduced budget:** tiny." in readme and settings["run one"].key in readme
    assert "- `figures/accuracy-curves.*`: Accuracy by epoch" in readme and "run --config settings/" in readme
    assert "plotly 7" in packed.read("versions.txt").decode()
    assert packed.read("figures/accuracy-curves.pdf").startswith(b"%PDF-")
