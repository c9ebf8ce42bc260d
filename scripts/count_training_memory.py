"""Count what Phase A keeps of an image for the backward pass, for the paper's backbones.

    python scripts/count_training_memory.py

Prints megabytes for each image in fp32: the storage of the tensors that autograd saves in a forward pass, parameters
left out. The towers have random weights. For the table in docs/datasets-and-backbones.md and dashboard/forms/cost.py.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from ballad.experiment import BackboneSettings
from ballad.model.backbone import Backbone, load_backbone
from ballad.presets import PAPER_BACKBONES


def kept_bytes(backbone: Backbone, images: int) -> int:
    """Bytes that a forward pass of so many images leaves for the backward pass."""
    parameters = {parameter.untyped_storage().data_ptr() for parameter in backbone.image_parameters().values()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    size = backbone.image_spec.size
    with saved_tensors_hooks(note, lambda tensor: tensor):
        features = backbone.encode_images(torch.zeros(images, 3, size, size))
    assert features.requires_grad, "kept alive until here, so that no storage is counted for another"
    return sum(kept.values())


def main() -> None:
    for name in PAPER_BACKBONES:
        random = BackboneSettings(name=name, image_tower="random", text_tower="random")
        backbone = load_backbone(random, seed=0)
        backbone.set_tuned("image")
        # The difference leaves out what does not grow with the batch, such as folded weights.
        each = kept_bytes(backbone, 2) - kept_bytes(backbone, 1)
        print(f"{name:10} {each / 1e6:7.1f} MB")


if __name__ == "__main__":
    main()
