"""Parts of the page Embeddings."""
