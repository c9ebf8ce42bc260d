"""The datasets of the catalogue, each with its source, its layouts and a check of what is missing."""
