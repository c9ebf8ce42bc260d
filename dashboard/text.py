"""Text entered by users, shown literally: in Markdown, and in figures, whose labels understand a little HTML."""

import re
import textwrap
from html import escape

LONGEST_LABEL = 40
"""Characters of a name on an axis or in a legend."""
HOVER_WIDTH = 60
"""Characters in a line of a hover label."""

# In these places, the signs start something in Markdown or in Streamlit's additions to it.
_SIGNS = re.compile(r"([\\`*\[\]<~$&]|:(?=[\w+-])|(?<![^\W_])_|_(?![^\W_])|^[#>=+-]|(?<=^\d)[.)]|(?<=^\d\d)[.)])")
_ICON_END = re.compile(r"(\\:[\w+/-]+):")
# Streamlit makes links, arrows and dashes of these after Markdown was read, where no backslash protects them.
_MADE_OVER = re.compile(r"(?<=[-<>~])(?=[-=>])|(?<=:)(?=//)|(?<=www)(?=\.)|(?=@)|(?<=:material)(?=/)", re.IGNORECASE)
_WORD_JOINER = "\N{WORD JOINER}"
_CODE = re.compile(r"(`[^`]+`)")


def as_text(text: str) -> str:
    """Markdown that shows ``text`` as it is, on one line: no link, no picture, no formula, no icon."""
    joined = _MADE_OVER.sub(_WORD_JOINER, " ".join(text.split()))
    return _ICON_END.sub(r"\1\:", _SIGNS.sub(r"\\\1", joined))


def sentence_as_text(sentence: str) -> str:
    """The same for a sentence of ours with names of theirs in it: what stands between backticks is shown as code."""
    return "".join(part if _CODE.fullmatch(part) else _within(part) for part in _CODE.split(sentence))


def _within(part: str) -> str:
    """:func:`as_text` of a part of a line, whose spaces at either end count."""
    return f"{' ' * part[:1].isspace()}{as_text(part)}{' ' * part[-1:].isspace()}" if part.strip() else part


def sentence_case(words: str) -> str:
    """The words with a capital at their beginning; the others keep theirs."""
    return words[:1].upper() + words[1:]


def shortened(text: str, most: int = LONGEST_LABEL) -> str:
    """At most this many characters; a longer text loses its middle, since names often differ at their ends."""
    if len(text) <= most:
        return text
    head = (most - 1) // 2
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"


def plotly_text(text: str) -> str:
    """What Plotly shows as ``text``; it knows tags, entities and, in hover labels, ``%{…}``."""
    return escape(text, quote=False).replace("%{", "%&#123;")


def plotly_label(text: str, most: int = LONGEST_LABEL) -> str:
    """A name for an axis or a legend: shortened."""
    return plotly_text(shortened(text, most))


def hover_text(text: str) -> str:
    """A name for a hover label: whole, on as many lines as it needs."""
    return "<br>".join(plotly_text(line) for line in textwrap.wrap(text, HOVER_WIDTH)) or text
