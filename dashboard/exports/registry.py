"""All formats that figures and tables are offered in, by their extensions."""

from ballad.discovery import defined_in
from dashboard.exports.format import FigureFormat, TableFormat

FIGURE_FORMATS = {each.extension: each for each in defined_in("dashboard.exports.figure_formats", FigureFormat)}
PICTURE_FORMATS = {extension: each for extension, each in FIGURE_FORMATS.items() if each.drawn}
"""Those that are drawn by a browser."""
TABLE_FORMATS = {each.extension: each for each in defined_in("dashboard.exports.table_formats", TableFormat)}
