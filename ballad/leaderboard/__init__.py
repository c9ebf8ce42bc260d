"""All methods on the same features with the same effort: what is run, what came out, and what to make of it."""
