"""Figures and tables fit for a paper: files in the formats journals take, at their column widths."""
