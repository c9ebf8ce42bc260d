"""Count the parameters of open_clip's architectures, for the table of backbones to choose from.

    python scripts/count_parameters.py

Writes ballad/assets/open_clip_parameters.csv in about a minute; to be run when the pinned open_clip changes.
Models are built without memory for their weights. Those with a Hugging Face text tower are left out: their size
is known only with that model's configuration, which lies on the hub.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import pandas as pd
import torch
from rich.progress import track

from ballad.model.catalogue import PARAMETERS_FILE
from ballad.model.construction import instantiate, tower_of
from ballad.model.registry import architecture_config, architecture_names


def count_parameters(architecture: str) -> dict[str, int]:
    """Parameters of the image and of the text tower."""
    with torch.device("meta"):
        model = instantiate(architecture_config(architecture))
    counts = {"image": 0, "text": 0, None: 0}
    for name, parameter in model.named_parameters():
        counts[tower_of(name)] += parameter.numel()
    return {"image_parameters": counts["image"], "text_parameters": counts["text"]}


def main() -> None:
    names = [name for name in architecture_names() if "hf_model_name" not in architecture_config(name)["text_cfg"]]
    rows = [{"architecture": name, **count_parameters(name)} for name in track(names)]
    pd.DataFrame(rows).to_csv(PARAMETERS_FILE, index=False)


if __name__ == "__main__":
    main()
