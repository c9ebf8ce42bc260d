import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ballad.errors import BackboneError
from ballad.model.backbone import Backbone, load_backbone
from ballad.model.registry import architecture_config
from ballad.sections import BackboneSettings
from tests.model.conftest import WriteBackbone

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")

State = dict[str, Tensor]


def save_torchscript(state: State, path: Path) -> None:
    """As OpenAI's archives are: half-precision tensors in nested modules, and three numbers beside them."""
    root = nn.Module()
    for name, tensor in {**state, "input_resolution": 224, "context_length": 77, "vocab_size": 49408}.items():
        *parents, leaf = name.split(".")
        module = root
        for parent in parents:
            if parent not in dict(module.named_children()):
                module.add_module(parent, nn.Module())
            module = module.get_submodule(parent)
        module.register_buffer(leaf, torch.as_tensor(tensor))
    torch.jit.script(root).save(str(path))


def outputs(backbone: Backbone) -> tuple[Tensor, Tensor]:
    size = backbone.image_spec.size
    images = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return backbone.encode_images(images), backbone.encode_text(backbone.tokenize(["a photo of a goldfish."]))


@pytest.fixture(scope="module")
def rn50() -> tuple[State, tuple[Tensor, Tensor], float]:
    """A random RN50's state in half precision, as OpenAI's is, its outputs and its logit scale."""
    random = BackboneSettings(name="RN50", image_tower="random", text_tower="random")
    backbone = load_backbone(random, seed=1)
    model = backbone._model
    with torch.no_grad():
        # At their random start the residual branches are silent, and a tensor in the wrong place would not show.
        for name, parameter in model.named_parameters():
            if name.endswith("bn3.weight"):
                parameter.fill_(0.5)
        model.logit_scale.fill_(4.5)
    model.load_state_dict({name: tensor.half().float() for name, tensor in model.state_dict().items()})
    state = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    return state, outputs(backbone), float(torch.tensor(4.5).exp())


def as_safetensors(state: State, folder: Path) -> BackboneSettings:
    save_file(state, folder / "rn50.safetensors")
    return BackboneSettings(name="RN50", pretrained=str(folder / "rn50.safetensors"))


def as_state_dict(state: State, folder: Path) -> BackboneSettings:
    torch.save(state, folder / "rn50.pt")
    return BackboneSettings(name="RN50", pretrained=str(folder / "rn50.pt"))


def as_training_checkpoint(state: State, folder: Path) -> BackboneSettings:
    prefixed = {f"module.{name}": tensor for name, tensor in state.items()}
    torch.save({"epoch": 3, "name": "run", "state_dict": prefixed}, folder / "epoch_3.pt")
    return BackboneSettings(name="RN50-quickgelu", pretrained=str(folder / "epoch_3.pt"))


def as_local_dir(state: State, folder: Path) -> BackboneSettings:
    config = {"model_cfg": architecture_config("RN50-quickgelu"), "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    save_file(state, folder / "open_clip_model.safetensors")
    return BackboneSettings(name=f"local-dir:{folder}")


def as_torchscript(state: State, folder: Path) -> BackboneSettings:
    save_torchscript(state, folder / "RN50.pt")
    return BackboneSettings(name="RN50", pretrained=str(folder / "RN50.pt"), trust_torchscript=True)


@pytest.mark.parametrize(
    "write",
    [as_safetensors, as_state_dict, as_training_checkpoint, as_local_dir, as_torchscript],
    ids=lambda f: f.__name__,
)
def test_an_rn50_gives_identical_outputs_from_every_format(rn50, tmp_path: Path, write: Callable):
    state, expected, logit_scale = rn50
    settings = write(state, tmp_path)
    backbone = load_backbone(settings, seed=0)
    for found, wanted in zip(outputs(backbone), expected, strict=True):
        assert found.equal(wanted)
    assert backbone.logit_scale == pytest.approx(logit_scale)
    assert backbone.image_spec.size == 224
    for path in tmp_path.iterdir():
        path.unlink()


def test_a_torchscript_archive_is_not_opened_without_a_word(write_backbone: WriteBackbone, tmp_path: Path):
    folder, archive = write_backbone(), tmp_path / "vit.pt"
    save_torchscript(load_file(folder / "open_clip_model.safetensors"), archive)
    with pytest.raises(BackboneError, match=r"vit\.pt is a TorchScript archive.*trust_torchscript=true"):
        load_backbone(BackboneSettings(name=str(folder), pretrained=str(archive)), seed=0)


def test_a_checkpoint_with_python_objects_is_not_unpickled(write_backbone: WriteBackbone, tmp_path: Path):
    ran = tmp_path / "ran"

    class Payload:
        def __reduce__(self):
            return ran.touch, ()

    torch.save({"state_dict": {}, "payload": Payload()}, tmp_path / "evil.pt")
    with pytest.raises(BackboneError, match=r"evil\.pt holds more than tensors.*safetensors"):
        load_backbone(BackboneSettings(name=str(write_backbone()), pretrained=str(tmp_path / "evil.pt")), seed=0)
    assert not ran.exists()


@pytest.mark.parametrize("name", ["broken.safetensors", "broken.pt"])
def test_a_broken_file_is_named(write_backbone: WriteBackbone, tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"not weights at all")
    with pytest.raises(BackboneError, match=rf"{name}.*(cannot be read|not opened)"):
        load_backbone(BackboneSettings(name=str(write_backbone()), pretrained=str(tmp_path / name)), seed=0)


@pytest.mark.parametrize("name", ["visual.conv1.weight", "text_projection", "logit_scale"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(write_backbone: WriteBackbone, name: str, value: float):
    path = write_backbone() / "open_clip_model.safetensors"
    state = load_file(path)
    state[name].view(-1)[0] = value
    save_file(state, path)
    with pytest.raises(BackboneError, match=rf"open_clip_model\.safetensors are damaged: {name} .* not finite"):
        load_backbone(BackboneSettings(name=str(path.parent)), seed=0)


def test_a_logit_scale_without_a_finite_exponential_is_refused(write_backbone: WriteBackbone):
    path = write_backbone() / "open_clip_model.safetensors"
    save_file({**load_file(path), "logit_scale": torch.tensor(1000.0)}, path)
    with pytest.raises(BackboneError, match=r"logit scale of .* is inf; set backbone\.temperature"):
        load_backbone(BackboneSettings(name=str(path.parent)), seed=0)
    assert load_backbone(BackboneSettings(name=str(path.parent), temperature=0.5), seed=0).logit_scale == 2


@pytest.mark.parametrize("other", ["resnet", "timm"])
def test_weights_of_another_architecture_are_refused(write_backbone: WriteBackbone, other: str):
    foreign = write_backbone(other) / "open_clip_model.safetensors"
    with pytest.raises(BackboneError, match=r"open_clip_model\.safetensors do not fit the architecture"):
        load_backbone(BackboneSettings(name=str(write_backbone()), pretrained=str(foreign)), seed=0)


def test_a_file_takes_the_place_of_a_folders_own_weights(write_backbone: WriteBackbone):
    own, other = write_backbone(seed=0, name="own"), write_backbone(seed=5, name="other")
    mixed = BackboneSettings(name=str(own), pretrained=str(other / "open_clip_model.safetensors"))
    expected = load_backbone(BackboneSettings(name=str(other)), seed=0)
    for found, wanted in zip(outputs(load_backbone(mixed, seed=0)), outputs(expected), strict=True):
        assert found.equal(wanted)


@pytest.mark.parametrize("prefix", ["model.", "_orig_mod.", "module._orig_mod.", "model.module."])
def test_what_training_puts_before_names_is_taken_off(write_backbone: WriteBackbone, tmp_path: Path, prefix: str):
    folder, file = write_backbone(), tmp_path / "wrapped.pt"
    state = load_file(folder / "open_clip_model.safetensors")
    torch.save({"state_dict": {f"{prefix}{name}": tensor for name, tensor in state.items()}}, file)
    plain = load_backbone(BackboneSettings(name=str(folder)), seed=0)
    wrapped = load_backbone(BackboneSettings(name=str(folder), pretrained=str(file)), seed=0)
    for found, wanted in zip(outputs(wrapped), outputs(plain), strict=True):
        assert found.equal(wanted)


def test_hugging_faces_names_are_named(write_backbone: WriteBackbone, tmp_path: Path):
    names = ("text_model.embeddings.token_embedding.weight", "vision_model.post_layernorm.bias")
    save_file({name: torch.zeros(2) for name in names}, tmp_path / "hf.safetensors")
    with pytest.raises(BackboneError, match=r"names of Hugging Face's CLIP \(such as text_model\."):
        load_backbone(BackboneSettings(name=str(write_backbone()), pretrained=str(tmp_path / "hf.safetensors")), seed=0)


def test_weights_may_be_given_as_their_folder(write_backbone: WriteBackbone):
    one, other = write_backbone(name="one", seed=1), write_backbone(name="other", seed=2)
    taken = load_backbone(BackboneSettings(name=str(one), pretrained=str(other)), seed=0)
    for found, wanted in zip(
        outputs(taken), outputs(load_backbone(BackboneSettings(name=str(other)), seed=0)), strict=True
    ):
        assert found.equal(wanted)


def test_a_timm_tower_whose_weights_are_of_another_size_ends_in_a_sentence(write_backbone: WriteBackbone):
    folder = write_backbone("siglip")
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["vision_cfg"]["timm_model_name"] = "test_vit2"
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(BackboneError):
        load_backbone(BackboneSettings(name=str(folder)), seed=0)
