"""The names that splits are known by."""

SPLITS = ("train", "val", "test")

_SPLIT_OF_WORD = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def split_called(word: str) -> str | None:
    """The split that a word means, in whatever case: ``Valid`` is ``val``; None for any other word."""
    return _SPLIT_OF_WORD.get(word.strip().casefold())
