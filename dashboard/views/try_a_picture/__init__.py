"""Parts of the page Try a picture."""
