"""``make setup``: what pip has been told reaches uv; the lock holds what is required, and no address."""

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


@pytest.fixture
def install() -> ModuleType:
    """The script, which is no part of a package."""
    spec = spec_from_file_location("install", ROOT / "scripts" / "install.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def requirements(file: str) -> list[Requirement]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith(("#", "-r"))]


def test_an_index_of_pip_is_asked_by_uv(install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://first.test/simple\n[install]\nextra-index-url =\n  https://a.test\n  https://b.test\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PIP_INDEX_URL", "https://counts.test/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels /more")
    settings = install.uv_settings(install.pip_settings())
    assert settings["UV_DEFAULT_INDEX"] == "https://counts.test/simple"
    assert settings["UV_FIND_LINKS"] == "/wheels,/more"
    assert {"https://a.test", "https://b.test"} <= set(settings["UV_INDEX"].split(" "))
    assert settings["UV_INDEX_STRATEGY"] == "unsafe-best-match"


def test_nothing_told_is_nothing_said(install: ModuleType) -> None:
    assert install.uv_settings({"timeout": "60"}) == {}


def test_the_lock_holds_a_version_of_everything_required_and_no_address() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|^-|@", text, re.MULTILINE)
    locked = {canonicalize_name(pin.name): pin for pin in requirements("constraints.txt")}
    for required in requirements("requirements.txt") + requirements("requirements-dev.txt"):
        (pin,) = locked[canonicalize_name(required.name)].specifier
        assert pin.operator == "==" and required.specifier.contains(pin.version), f"{required}: run make lock"
