"""The formats of figures: every module that names a FigureFormat adds it to all pages and packs."""
