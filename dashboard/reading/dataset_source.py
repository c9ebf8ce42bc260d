"""From what was picked or named in a link to a dataset that pages may read."""

from ballad.data.catalog import CATALOG
from ballad.data.roots import data_roots, resolve_inside_roots


def dataset_source(picked: str) -> str:
    """The ``dataset.source`` for what was picked. Raises DataError for a path outside the data roots."""
    return picked if picked in CATALOG else str(resolve_inside_roots(picked, data_roots()))
