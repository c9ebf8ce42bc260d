"""Count the towers of open_clip's architectures and of the demo backbone: parameters, and memory of training.

    python scripts/count_tower_sizes.py

Writes ballad/assets/tower_sizes.csv in some minutes; to be run when the pinned torch, timm or open_clip changes.
Models with a Hugging Face text tower are left out: their size is known only with that model's configuration, which
lies on the hub.

``image_bytes`` and ``token_bytes`` are the storage of the tensors that autograd saves in fp32, on a CPU, of one more
image or prompt in a batch; so parameters and folded weights are left out. The towers are fakes without memory, but
image towers with batch norms have random weights: their features decide whether these are folded, as in training,
which about halves what is saved.
"""

import gc
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import pandas as pd
import torch
from rich.progress import track
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks

from ballad.model.construction import OpenClipModel, instantiate, tower_of
from ballad.model.folding import fold_batch_norms
from ballad.model.image_tower import ImageTower, input_size, memory_format
from ballad.model.text_tower import causal_text_tower
from ballad.model.tower_sizes import SIZES_FILE, Layout, counted_layouts

TOKENS = 16
"""Of a counted prompt, where prompts go through the tower at their own length."""


def count(layout: Layout) -> dict[str, int | None]:
    """The sizes of :class:`ballad.model.tower_sizes.TowerSizes`."""
    with torch.device("meta"):
        model = instantiate(layout).eval()
    with FakeTensorMode(allow_non_fake_inputs=True):
        # On the meta device attention would take a path that no real device takes, and that saves more.
        model.to_empty(device="cpu")
        prompt_tokens = None if causal_text_tower(model) else model.context_length
        token_bytes = bytes_of_prompt(model, prompt_tokens or TOKENS) // (prompt_tokens or TOKENS)
        image_bytes = None if has_batch_norms(model.visual) else bytes_of_image(model.visual)
    return {
        **count_parameters(model),
        "image_bytes": image_bytes or bytes_of_image(folded_tower(layout)),
        "token_bytes": token_bytes,
        "prompt_tokens": prompt_tokens,
    }


def count_parameters(model: OpenClipModel) -> dict[str, int]:
    counts = {"image": 0, "text": 0, None: 0}
    for name, parameter in model.named_parameters():
        counts[tower_of(name)] += parameter.numel()
    return {"image_parameters": counts["image"], "text_parameters": counts["text"]}


def has_batch_norms(visual: ImageTower) -> bool:
    return any(isinstance(module, nn.BatchNorm2d) for module in visual.modules())


def folded_tower(layout: Layout) -> ImageTower:
    """The image tower with random weights, as training runs it."""
    torch.manual_seed(0)
    visual = instantiate(layout).eval().visual
    visual.to(memory_format=memory_format(visual))
    size = input_size(visual)
    fold_batch_norms(visual, torch.randn(1, 3, size, size))
    return visual


def bytes_of_image(visual: ImageTower) -> int:
    size, form = input_size(visual), memory_format(visual)

    def encode(images: int) -> Tensor:
        features = visual(torch.zeros(images, 3, size, size).contiguous(memory_format=form))
        return features[0] if isinstance(features, tuple) else features

    return saved_bytes(visual, encode, 2) - saved_bytes(visual, encode, 1)


def bytes_of_prompt(model: OpenClipModel, length: int) -> int:
    tower = causal_text_tower(model)

    def encode(prompts: int) -> Tensor:
        tokens = torch.zeros(prompts, length, dtype=torch.int64)
        return tower.encode_alike(tokens) if tower else model.encode_text(tokens)

    return saved_bytes(model, encode, 2) - saved_bytes(model, encode, 1)


def saved_bytes(module: nn.Module, encode: Callable[[int], Tensor], batch: int) -> int:
    """Bytes of what autograd saves when ``encode`` takes this many inputs, parameters left out."""
    # Storages are told apart by their handle: fakes have no address.
    parameters = {parameter.untyped_storage()._cdata for parameter in module.parameters()}
    saved: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in parameters:
            saved[storage._cdata] = storage.nbytes()
        return tensor.detach()  # An output that its own graph keeps would never be freed.

    with saved_tensors_hooks(note, lambda tensor: tensor):
        features = encode(batch)
    assert features.requires_grad, "kept alive until here, so that no storage is counted for another"
    return sum(saved.values())


def main() -> None:
    rows = []
    for name, layout in track(counted_layouts().items()):
        rows.append({"architecture": name, **count(layout)})
        gc.collect()  # Folded towers refer to themselves.
    pd.DataFrame(rows).astype({"prompt_tokens": "Int64"}).to_csv(SIZES_FILE, index=False)


if __name__ == "__main__":
    main()
