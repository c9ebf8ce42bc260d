"""Class names as a text tower sees them: names that become the same tokens, and names that are cut."""

from collections.abc import Sequence

from ballad.data.texts import listed
from ballad.model.prompts import class_prompts
from ballad.model.source import find_source, read_layout
from ballad.model.tokenizer import Tokenizer, load_tokenizer
from ballad.sections import BackboneSettings, PromptSettings


def tokenizer_of(settings: BackboneSettings) -> Tokenizer:
    """The tokenizer of a backbone, without its weights. Raises BackboneError if it cannot be had."""
    layout = read_layout(find_source(settings))
    return load_tokenizer(layout.model["text_cfg"], layout.folder)


def class_token_notes(class_names: Sequence[str], tokenizer: Tokenizer, prompts: PromptSettings) -> list[str]:
    """Warnings about classes whose prompts become the same tokens, and about names too long for the text tower.

    Tokenizers ignore case and spaces, read ``&amp;`` as ``&``, and cut what is longer than their context.
    """
    if prompts.kind == "random_single":
        prompts = PromptSettings()  # names that are the same in one template are so in all
    texts = class_prompts(class_names, prompts, seed=0)
    tokens = [_tokens(tokenizer, each) for each in texts]
    # Where the last character of a prompt makes no difference, its end was not seen.
    shortened = [_tokens(tokenizer, [text.rstrip()[:-1] for text in each]) for each in texts]
    names_of: dict[bytes, dict[str, None]] = {}
    for name, seen in zip(class_names, tokens, strict=True):
        names_of.setdefault(seen, {})[name] = None
    notes = [
        f"The classes {' and '.join(f'{name:.60}' for name in names)} are the same to the backbone's tokenizer, "
        "so they cannot be told apart."
        for names in map(list, names_of.values())
        if len(names) > 1
    ]
    cut = [f"{name:.60}" for name, seen, short in zip(class_names, tokens, shortened, strict=True) if seen == short]
    if cut:
        notes.append(f"Some class names are too long for the backbone's text tower and are cut ({listed(cut)}).")
    return notes


def _tokens(tokenizer: Tokenizer, texts: list[str]) -> bytes:
    return tokenizer(texts).numpy().tobytes()
