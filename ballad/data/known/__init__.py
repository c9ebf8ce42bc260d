"""The datasets that go by a name, each with its source, its layouts and what is missing of it."""
