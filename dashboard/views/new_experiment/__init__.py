"""Parts of the page New experiment."""
