"""Content-addressed results: what an experiment consists of, how each part is computed and kept."""
