"""Parts of the page λ sweep."""
