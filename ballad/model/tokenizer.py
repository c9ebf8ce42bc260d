"""The tokenizer that a backbone's text tower was trained with."""

import json
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from torch import Tensor

from ballad.errors import BackboneError
from ballad.model.hub import fetch_file
from ballad.model.source import TOKENIZER_CONFIG

Tokenizer = Callable[[list[str]], Tensor]
"""From P prompts to token ids int64 ``[P, L]``, padded to the model's context."""


def load_tokenizer(text_config: dict[str, Any], folder: Path | None) -> Tokenizer:
    """CLIP's own byte-pair tokenizer, or the Hugging Face one that the ``text_cfg`` of an open_clip model names.

    The latter is read from ``folder`` where its files lie there, else from the hub or its cache. Raises BackboneError
    if it cannot be had.
    """
    from open_clip.tokenizer import DEFAULT_CONTEXT_LENGTH

    context_length = text_config.get("context_length", DEFAULT_CONTEXT_LENGTH)
    options = text_config.get("tokenizer_kwargs") or {}
    name = text_config.get("hf_tokenizer_name")
    if not name:
        tokenizer = _clip_tokenizer(context_length, json.dumps(options))
        known = text_config.get("vocab_size", tokenizer.vocab_size)
        if known < tokenizer.vocab_size:
            raise BackboneError(
                f"The backbone's text tower knows {known:,} tokens (text_cfg.vocab_size), and CLIP's own tokenizer has "
                f"{tokenizer.vocab_size:,}; name the one that it was trained with as text_cfg.hf_tokenizer_name."
            )
        return tokenizer
    source = str(folder) if folder and (folder / TOKENIZER_CONFIG).is_file() else name
    mode = text_config.get("tokenizer_mode")
    return _hugging_face_tokenizer(source, context_length=context_length, tokenizer_mode=mode, **options)


@cache
def _clip_tokenizer(context_length: int, options: str) -> Any:
    """Built once per process: to read the vocabulary takes a fifth of a second."""
    from open_clip.tokenizer import SimpleTokenizer

    return SimpleTokenizer(context_length=context_length, **json.loads(options))


def _hugging_face_tokenizer(source: str, **options: Any) -> Tokenizer:
    from open_clip.tokenizer import HFTokenizer

    try:
        import transformers  # noqa: F401
    except ImportError:
        raise BackboneError(
            f"This backbone's tokenizer, {source}, needs the package transformers: pip install transformers."
        ) from None
    build = partial(HFTokenizer, source, **options)
    try:
        return build(local_files_only=True)
    except (OSError, ValueError):  # Not on this disk, or not whole.
        advice = (
            "It is part of the backbone's tokenizer: connect this machine to the network once, or use --backbone "
            "FOLDER with a folder that holds open_clip_config.json, the weights and the tokenizer's files."
        )
        fetch_file(source, (TOKENIZER_CONFIG,), offline_advice=advice)
    try:
        return build()
    except (OSError, ValueError) as error:
        raise BackboneError(f"The tokenizer {source} cannot be read: {str(error).partition(chr(10))[0]}") from None
