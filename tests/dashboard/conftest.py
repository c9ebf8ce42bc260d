import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ballad import api
from ballad.store.run_store import RunStore
from tests.helpers.shown import PATIENCE_S
from tests.helpers.tiny_experiment import tiny_experiment

SHELL = Path(__file__).parents[2] / "dashboard" / "shell.py"


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """AppTest leaves its script behind as ``__main__``, which processes of later tests would run again."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture
def store(tmp_path, monkeypatch) -> RunStore:
    """An empty store, which the pages of this test open too."""
    monkeypatch.setenv("BALLAD_HOME", str(tmp_path))
    st.cache_resource.clear()
    st.cache_data.clear()
    return RunStore(tmp_path)


@pytest.fixture
def app(store) -> AppTest:
    """The shell at Home."""
    return AppTest.from_file(str(SHELL), default_timeout=PATIENCE_S)


@pytest.fixture(scope="session")
def trained_home(tmp_path_factory, tiny_images, tiny_backbone) -> Path:
    """A home with a finished decoupled and a finished joint run on the same tiny images."""
    home = tmp_path_factory.mktemp("trained")
    for schedule in ("decoupled", "joint"):
        api.run(tiny_experiment(tiny_images, tiny_backbone, schedule=schedule, name=schedule), home=home)
    return home


@pytest.fixture
def trained(trained_home, store) -> RunStore:
    """A store of its own with those two runs."""
    store.database.close()
    shutil.copytree(trained_home, store.home, dirs_exist_ok=True)
    return RunStore(store.home)
