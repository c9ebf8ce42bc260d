import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ballad.errors import BackboneError
from ballad.model.fingerprint import backbone_fingerprint, file_hash
from ballad.sections import BackboneSettings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "backbone"
    folder.mkdir()
    (folder / "open_clip_config.json").write_text("{}")
    (folder / "open_clip_model.safetensors").write_bytes(b"weights")
    return folder


def fingerprint(name: object, **settings: str) -> str:
    return backbone_fingerprint(BackboneSettings(name=str(name), **settings))


def test_a_moved_folder_is_the_same_backbone(folder: Path, tmp_path: Path):
    before = fingerprint(folder)
    moved = shutil.move(folder, tmp_path / "elsewhere")
    assert fingerprint(moved) == before == fingerprint(f"local-dir:{moved}")


@pytest.mark.parametrize("edited", ["open_clip_config.json", "open_clip_model.safetensors"])
def test_an_edited_file_is_another_backbone(folder: Path, edited: str):
    before = fingerprint(folder)
    (folder / edited).write_bytes(b"another")
    assert fingerprint(folder) != before


def test_an_edited_tokenizer_is_another_backbone(folder: Path):
    (folder / "readme.txt").write_text("how it was trained")
    without = fingerprint(folder)
    (folder / "readme.txt").write_text("how it was trained, in other words")
    assert fingerprint(folder) == without, "nothing that the model is made of"
    (folder / "tokenizer_config.json").write_text("{}")
    (folder / "tokenizer.json").write_text("a vocabulary")
    before = fingerprint(folder)
    (folder / "tokenizer.json").write_text("a vocabulary, corrected")
    assert len({without, before, fingerprint(folder)}) == 3


def test_a_file_of_the_users_counts_by_content(folder: Path, tmp_path: Path):
    weights = tmp_path / "mine.safetensors"
    weights.write_bytes(b"weights")
    given = fingerprint(folder, pretrained=str(weights))
    assert given == fingerprint(folder, pretrained=str(shutil.copy(weights, tmp_path / "copy.safetensors")))
    weights.write_bytes(b"changed")
    assert fingerprint(folder, pretrained=str(weights)) != given


def test_a_file_of_the_same_size_and_time_is_not_read_again(folder: Path):
    path = folder / "open_clip_model.safetensors"
    first, times = file_hash(path), path.stat()
    path.write_bytes(b"WEIGHTS")
    assert file_hash(path) != first
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert file_hash(path) == first


def test_published_weights_count_by_name():
    assert fingerprint("RN50") == "open_clip:RN50-quickgelu:openai" == fingerprint("RN50", pretrained="OpenAI")
    assert fingerprint("hf-hub:timm/vit") == "hf-hub:timm/vit"
    assert fingerprint("RN50", image_tower="random", text_tower="random") == "open_clip:RN50-quickgelu"


def test_a_missing_file_is_a_sentence(folder: Path):
    (folder / "open_clip_model.safetensors").unlink()
    with pytest.raises(BackboneError, match="holds no weights"):
        fingerprint(folder)


def test_torch_is_not_loaded():
    program = (
        "import sys; from ballad.experiment import BackboneSettings; "
        "from ballad.model.fingerprint import backbone_fingerprint; "
        "backbone_fingerprint(BackboneSettings(name='RN50')); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2]).returncode == 0
