from pathlib import Path

import pytest

from ballad.errors import BackboneError
from ballad.model.file_kinds import check_holds_weights

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.mark.parametrize("name", ["weights.bin", "weights.safetensors"])
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty.*copy it again"),
        (POINTER, "is a git-LFS pointer.*git lfs pull"),
        (b"\n<!DOCTYPE html>\n<html><title>Sign in</title>", "is a web page"),
        (b"<html>", "is a web page"),
    ],
)
def test_what_is_no_weights_file_is_named_as_what_it_is(tmp_path: Path, name: str, content: bytes, sentence: str):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BackboneError, match=rf"{name}.*{sentence}"):
        check_holds_weights(tmp_path / name)


@pytest.mark.parametrize("content", [b"\xff" * 64, b"abc", (1000).to_bytes(8, "little") + b"{}"])
def test_safetensors_that_were_cut_off_are_named(tmp_path: Path, content: bytes):
    (tmp_path / "cut.safetensors").write_bytes(content)
    with pytest.raises(BackboneError, match=r"cut\.safetensors cannot be read as safetensors: it is truncated"):
        check_holds_weights(tmp_path / "cut.safetensors")


def test_a_weights_file_passes(tmp_path: Path):
    (tmp_path / "a.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    check_holds_weights(tmp_path / "a.safetensors")
