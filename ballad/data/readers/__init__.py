"""Readers of the layouts that image sets come in; each gives an ImageCollection."""
