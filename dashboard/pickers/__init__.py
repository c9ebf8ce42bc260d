"""Choosing a run, a model, a class, a dataset or a backbone; each choice is kept in the link."""
