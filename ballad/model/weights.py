"""Weights files into a model: safetensors, PyTorch state dicts, and OpenAI's TorchScript archives when trusted."""

import tempfile
import warnings
import zipfile
from pathlib import Path

import torch
from torch import Tensor, nn

from ballad.errors import BackboneError
from ballad.model.file_kinds import check_holds_weights

WRAPPERS = ("module.", "model.", "_orig_mod.")
HUGGING_FACE_TOWERS = ("vision_model.", "text_model.")


def is_torchscript(path: Path) -> bool:
    """Whether a file is a TorchScript archive, which carries code beside its tensors."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())


def load_weights(model: nn.Module, path: Path, *, trust_torchscript: bool) -> None:
    """Fill an open_clip model from a weights file; every tensor of the model must be in it.

    Nothing in the file is unpickled beyond tensors. Raises BackboneError if the file cannot be read, is a
    TorchScript archive that the user did not vouch for, belongs to another architecture, or holds NaN.
    """
    check_holds_weights(path)
    if not is_torchscript(path):
        _load(model, path, path)
    elif trust_torchscript:
        _load_tensors(model, _torchscript_tensors(path), path)
    else:
        raise BackboneError(
            f"{path} is a TorchScript archive, a format that can contain code, and opening it may run that code. If "
            "you trust its origin (OpenAI's own .pt files are such archives), confirm this with --set "
            "backbone.trust_torchscript=true; only its tensors are used then. Otherwise give the weights as "
            "safetensors."
        )


def _load(model: nn.Module, path: Path, shown: Path) -> None:
    from open_clip.factory import load_checkpoint, load_state_dict

    try:
        load_checkpoint(model, str(path))
    except Exception as error:  # A foreign file can trip its readers in any way.
        message = str(error)
        if "Missing key(s)" in message:
            state = load_state_dict(str(path))
            unwrapped = without_wrappers(state)
            if unwrapped.keys() != state.keys():
                _load_tensors(model, unwrapped, shown)
                return
            if any(name.startswith(HUGGING_FACE_TOWERS) for name in state):
                raise BackboneError(
                    f"The weights in {shown} have the names of Hugging Face's CLIP (such as {next(iter(state))}), "
                    "which differ from open_clip's; give open_clip's file of the same weights."
                ) from None
        if "Error(s) in loading state_dict" in message or "size" in message:
            raise BackboneError(f"The weights in {shown} do not fit the architecture: {_difference(message)}") from None
        if "Weights only load failed" in message:
            raise BackboneError(
                f"{shown} holds more than tensors and was not opened, since unpickling the rest could run code; save "
                "only the model's state_dict, preferably as safetensors."
            ) from None
        raise BackboneError(f"{shown} cannot be read as weights: {message.partition(chr(10))[0]}") from None
    for name, tensor in model.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise BackboneError(
                f"The weights in {shown} are damaged: {name} holds numbers that are not finite; get the file again, or "
                "choose another backbone."
            )


def without_wrappers(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors by their own names, without the prefixes of data parallelism, compilation or a training module."""
    while prefix := next((each for each in WRAPPERS if all(name.startswith(each) for name in state)), None):
        state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return state


def _load_tensors(model: nn.Module, state: dict[str, Tensor], shown: Path) -> None:
    # open_clip's loader, which knows the spellings of many checkpoints, takes files only.
    from safetensors.torch import save_file

    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "weights.safetensors"
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, plain)
        _load(model, plain, shown)


def _torchscript_tensors(path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch deprecates the format, but OpenAI's files stay.
            state = torch.jit.load(str(path), map_location="cpu").state_dict()
    except RuntimeError as error:
        raise BackboneError(f"{path} cannot be read as TorchScript: {str(error).partition(chr(10))[0]}") from None
    # OpenAI's archives keep three numbers of the architecture among the tensors.
    numbers = ("input_resolution", "context_length", "vocab_size")
    return {name: tensor.contiguous() for name, tensor in state.items() if name not in numbers}


def _difference(message: str) -> str:
    """The first missing or misshapen tensor of torch's report, which can run to hundreds of lines."""
    lines = [line.strip() for line in message.splitlines()]
    line = lines[1] if len(lines) > 1 else lines[0]
    return line if len(line) <= 160 else f"{line[:160]} …"
