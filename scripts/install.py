"""Install what is needed to run and to check the workbench into the environment that runs this: ``make setup``.

uv does it where it can, several times faster than pip. It does not read pip's settings, so an index, a folder of wheels
or a certificate that pip is configured with is passed on. Where uv is not available or fails, pip does it alone.
"""

import os
import shlex
import subprocess
import sys
from ast import literal_eval
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ["--requirement", "requirements-dev.txt", "--constraint", "constraints.txt"]
PROJECT = ["--no-deps", "--no-build-isolation", "--editable", "."]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
UV_OF_PIP = {
    # pip's name of a setting: uv's variable, and what separates several values in it
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "no-index": ("UV_NO_INDEX", " "),
    "cert": ("SSL_CERT_FILE", " "),
}


def main() -> int:
    return 0 if with_uv() or with_pip() else 1


def with_uv() -> bool:
    if not run([*PIP, "install", "--quiet", "uv", "--constraint", "constraints.txt"]):
        return False
    uv = [sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable]
    environment = uv_settings(pip_settings()) | os.environ
    return run([*uv, *REQUIREMENTS], environment) and run([*uv, *PROJECT], environment)


def with_pip() -> bool:
    print("Going on with pip.", flush=True)
    return run([*PIP, "install", *REQUIREMENTS]) and run([*PIP, "install", "--quiet", *PROJECT])


def pip_settings() -> dict[str, str]:
    """What pip has been told in its files and in the environment; where it was told twice, what counts."""
    listed = subprocess.run([*PIP, "config", "list"], capture_output=True, text=True).stdout
    lines = [line.partition("=") for line in listed.splitlines()]
    sections = ("global.", "install.", ":env:.")
    return {
        name.removeprefix(section): literal_eval(value)
        for section in sections
        for name, _, value in lines
        if name.startswith(section)
    }


def uv_settings(pip: dict[str, str]) -> dict[str, str]:
    """The same for uv, as environment variables. The best version of all indexes is taken, as pip does."""
    told = {name: pip[name].split() for name in UV_OF_PIP if name in pip}
    settings = {UV_OF_PIP[name][0]: UV_OF_PIP[name][1].join(values) for name, values in told.items()}
    return settings | ({"UV_INDEX_STRATEGY": "unsafe-best-match"} if "UV_INDEX" in settings else {})


def run(command: list[str], environment: dict[str, str] | None = None) -> bool:
    """Say the command, run it in the project's folder and return whether it succeeded."""
    print("+", shlex.join(["python", *command[1:]]), flush=True)
    return subprocess.run(command, cwd=ROOT, env=environment).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
