"""The text tower at the lengths that the prompts have.

CLIP pads every prompt to 77 tokens although most end before the 20th. With causal attention no position sees a later
one, and only the feature at the end-of-text token is used: what comes behind it can be left out. Features and gradients
stay the same but for rounding. Towers of another kind always get their full context.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ballad.model.construction import OpenClipModel


@dataclass(frozen=True)
class CausalTextTower:
    """The parts of a causal text transformer, which open_clip keeps in different places by model class."""

    token_embedding: nn.Embedding
    positional_embedding: nn.Parameter
    transformer: nn.Module
    attention_mask: Tensor
    ln_final: nn.Module
    projection: nn.Parameter | nn.Linear | None
    pool: str
    eos_id: int

    def cut(self, tokens: Tensor) -> Tensor:
        """Tokens ``[P, L]`` up to the last end-of-text among them."""
        return tokens[:, : int(self._lengths(tokens).max())]

    def encode(self, tokens: Tensor) -> Tensor:
        """Features ``[P, d]`` of tokens ``[P, L]``, L being at most the context length; not normalised.

        Prompts of one length go through the tower together, so that short ones are not padded to the longest.
        """
        lengths = self._lengths(tokens)
        groups = [(lengths == length).nonzero().flatten() for length in lengths.unique()]
        features = [self.encode_alike(tokens[group, : int(lengths[group[0]])]) for group in groups]
        return torch.cat(features)[torch.cat(groups).argsort()]

    def _lengths(self, tokens: Tensor) -> Tensor:
        """Places up to the end-of-text of each prompt ``[P, L]``, ``[P]``."""
        # As open_clip finds the end-of-text token: the highest id, or the first of a given one.
        ends = tokens if self.pool == "argmax" else (tokens == self.eos_id).int()
        return ends.argmax(dim=-1) + 1

    def encode_alike(self, tokens: Tensor) -> Tensor:
        """Features ``[P, d]`` of prompts that all end at the last of their tokens ``[P, L]``; not normalised."""
        from open_clip.transformer import text_global_pool

        length = tokens.shape[1]
        x = self.token_embedding(tokens) + self.positional_embedding[:length]
        x = self.transformer(x, attn_mask=self.attention_mask[:length, :length])
        x = text_global_pool(self.ln_final(x), tokens, self.pool, eos_token_id=self.eos_id)
        if isinstance(self.projection, nn.Linear):
            return self.projection(x)
        return x if self.projection is None else x @ self.projection


def causal_text_tower(model: OpenClipModel) -> CausalTextTower | None:
    """The text tower of an open_clip model if prompts may be cut, else None.

    None for bidirectional attention (SigLIP, MobileCLIP-S), pooling at a fixed position, an appended class token
    (CoCa) and Hugging Face text models.
    """
    from open_clip.model import CLIP
    from open_clip.transformer import TextTransformer

    if isinstance(model, CLIP):
        text, pool, eos_id = model, model.text_pool_type, model.text_eos_id
    elif isinstance(model.text, TextTransformer) and model.text.cls_emb is None:
        text, pool, eos_id = model.text, model.text.pool_type, model.text.eos_id
    else:
        return None
    if text.attn_mask is None or pool not in ("argmax", "eos"):
        return None
    return CausalTextTower(
        token_embedding=text.token_embedding,
        positional_embedding=text.positional_embedding,
        transformer=text.transformer,
        attention_mask=text.attn_mask,
        ln_final=text.ln_final,
        projection=text.text_projection,
        pool=pool,
        eos_id=eos_id,
    )
