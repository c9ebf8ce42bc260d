"""The one thing ``pyproject.toml`` cannot say: installed, ``pages/`` lies inside the dashboard's package.

A top-level package named ``pages`` would mix with those of other projects, and Streamlit would take a folder
``dashboard/pages`` for its own list of pages.
"""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["ballad", "ballad.*", "dashboard", "dashboard.*"]), "dashboard.page_scripts"],
    package_dir={"dashboard.page_scripts": "pages"},
)
