"""The wheel: holds all that the project needs at work, and works from any folder without the sources."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

import ballad

ROOT = Path(__file__).parents[1]
PACKAGES = ("ballad", "dashboard", "pages")
BESIDES = ("pyproject.toml", "setup.py", "requirements.txt", "README.md", "LICENSE")

OPEN_HOME = """
from streamlit.testing.v1 import AppTest
import dashboard.navigation as navigation
app = AppTest.from_file(navigation._HERE / "shell.py", default_timeout=120).run()
assert not app.exception and not app.error, (app.exception, app.error)
print(app.title[0].value, "|", navigation.RUNS)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing an earlier build left behind gets in."""
    sources, built = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("built")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, sources / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file in BESIDES:
        shutil.copy(ROOT / file, sources)
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, built], cwd=sources, check=True, capture_output=True)
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel is installed in; the libraries it needs are those of this environment."""
    folder = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--no-deps", "--no-index", "--no-compile", "--target", folder]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, wheel], check=True)
    return folder


@pytest.fixture
def environment(installed: Path) -> dict[str, str]:
    """The environment of a user who has installed the wheel."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BALLAD_", "STREAMLIT_"))}
    return {**kept, "PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}


def test_the_wheel_holds_every_file(wheel: Path) -> None:
    expected = set()
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                path = PurePosixPath(file.relative_to(ROOT).as_posix())
                expected.add(str("dashboard/page_scripts" / path.relative_to("pages") if package == "pages" else path))
    in_wheel = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert in_wheel == expected


def test_requirements_are_those_of_the_file_and_hold_no_checks(wheel: Path) -> None:
    with ZipFile(wheel) as files:
        (name,) = (name for name in files.namelist() if name.endswith(".dist-info/METADATA"))
        lines = files.read(name).decode().splitlines()
    required = {line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist: ")}
    listed = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert required == {line.strip() for line in listed if line.strip() and not line.startswith("#")}
    assert not [name for name in required if name.startswith(("pytest", "ruff", "mypy", "playwright"))]
    assert f"Version: {ballad.__version__}" in lines


def test_the_newest_changes_are_those_of_this_version() -> None:
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines() if line[:3] == "## "]
    assert headings[0].split()[1] == ballad.__version__


def test_the_command_trains_from_any_folder(
    installed: Path, environment: dict[str, str], tiny_images: Path, tmp_path: Path
) -> None:
    command = [installed / "bin" / "ballad", "run", "--backbone", "demo", "--dataset", tiny_images]
    quickly = ["--set", "schedule=zero_shot_adapter", "--set", "phase_b.epochs=1"]
    result = subprocess.run(command + quickly, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "BALLAD" in result.stdout
    assert (tmp_path / "runs" / "store.sqlite").is_file()


def test_the_version_is_said(installed: Path, environment: dict[str, str], tmp_path: Path) -> None:
    command = [installed / "bin" / "ballad", "--version"]
    shown = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    assert shown == f"ballad {ballad.__version__}\n"


def test_the_installed_pages_are_found(installed: Path, environment: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN_HOME]
    shown = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout == f"BALLAD workbench | {installed / 'dashboard' / 'page_scripts' / 'runs.py'}\n"


def test_the_installed_workbench_answers_this_machine_alone(
    installed: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [installed / "bin" / "ballad", "dashboard", "--port", str(port)]
    environment |= {"STREAMLIT_SERVER_HEADLESS": "true"}
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        assert _answer(f"http://127.0.0.1:{port}/_stcore/health", process) == b"ok"
        process.terminate()
        shown = process.communicate(timeout=60)[0].decode()
        assert f"URL: http://127.0.0.1:{port}" in shown and "Network" not in shown
    finally:
        process.kill()


def _answer(address: str, process: subprocess.Popen) -> bytes:
    while process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return answer.read()
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"The server ended:\n{process.stdout.read().decode() if process.stdout else ''}")
