import pandas as pd
import pytest

from dashboard.figures.confusion import confusion_heatmap
from dashboard.text import as_text, hover_text, plotly_label, plotly_text, sentence_as_text, shortened


@pytest.mark.parametrize(
    ("given", "markdown"),
    [
        ("![t](x)", r"!\[t\](x)"),
        ("a_b _c_ *d* <b> $x$", r"a_b \_c\_ \*d\* \<b> \$x\$"),
        (":material/home: :smile: `d`", "\\:material\u2060/home: \\:smile\\: \\`d\\`"),
        ("1. one\n# two", r"1\. one # two"),
        ("Zürich 日本", "Zürich 日本"),
        # A word joiner keeps Streamlit from making links and arrows of what Markdown left alone.
        ("http://x.org", "http:\u2060//x.org"),
        ("www.x.org a@b", "www\u2060.x.org a\u2060@b"),
        ("a -> b", "a -\u2060> b"),
    ],
)
def test_markdown_shows_names_as_they_are(given, markdown):
    assert as_text(given) == markdown


def test_sentences_keep_the_commands_in_them():
    sentence = "There is no run '*x*'; `python -m ballad list` shows all."
    assert sentence_as_text(sentence) == r"There is no run '\*x\*'; `python -m ballad list` shows all."


def test_plotly_shows_names_as_they_are():
    assert plotly_text("<b>a</b> & %{x}") == "&lt;b&gt;a&lt;/b&gt; &amp; %&#123;x}"


def test_long_names_keep_both_ends():
    assert shortened("a" * 30 + "b" * 30, 9) == "aaaa…bbbb"
    assert shortened("short", 9) == "short"
    assert len(plotly_label("n" * 300)) == 40


def test_hover_labels_are_whole_on_several_lines():
    name = "<i>" + "n" * 297
    lines = hover_text(name).split("<br>")
    assert len(lines) == 5 and "".join(lines) == "&lt;i&gt;" + "n" * 297


def test_a_heatmap_with_a_long_name_labels_it_short_and_hovers_it_whole():
    counts = pd.DataFrame({"true": [0, 1], "predicted": [0, 1], "count": 1})
    figure = confusion_heatmap(counts, [0, 1], ["n" * 300, "<b>dog"])
    assert [len(text) for text in figure.layout.xaxis.ticktext] == [40, len("&lt;b&gt;dog")]
    assert figure.data[0].y[0].replace("<br>", "") == "n" * 300
    # Exactly at a category the hover label would be the tick's.
    assert not {0, 1} & set(figure.layout.xaxis.tickvals)
