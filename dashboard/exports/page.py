"""The page that Chromium draws figures on: all of the sheet, without a margin, titled as the figure.

Kaleido's own page leaves the margin of the sheet to its call for a PDF, a tenth of an inch, in which a picture as large
as the sheet has no room: Chromium shrinks it and moves it right and down, over the edge. Its title never changes.
"""

from kaleido import PageGenerator

_STYLE = """
        <style>@page { margin: 0 } body { margin: 0 } img { display: block }</style>
"""
# A PDF's title is that of its document; figures carry theirs as ``layout.meta.title``.
_TITLE = """
        <script>
            const draw = kaleido_scopes.plotly;
            kaleido_scopes.plotly = (spec, ...rest) => {
                document.title = spec.data.layout?.meta?.title ?? "";
                return draw(spec, ...rest);
            };
        </script>
    </head>"""


class PrintedPage(PageGenerator):
    """Kaleido's page with both of these corrected."""

    header = PageGenerator.header + _STYLE
    footer = PageGenerator.footer.replace("</head>", _TITLE, 1)
