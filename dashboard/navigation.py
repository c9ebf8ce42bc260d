"""The pages, their order and their files, for the menu and for links between them."""

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).resolve().parent
# Installed, they lie inside this package (see setup.py).
_INSTALLED_PAGES = _HERE / "page_scripts"
_PAGES = _INSTALLED_PAGES if _INSTALLED_PAGES.is_dir() else _HERE.parent / "pages"

HOME = _PAGES / "home.py"
NEW_EXPERIMENT = _PAGES / "new_experiment.py"
RUNS = _PAGES / "runs.py"
RUN = _PAGES / "run.py"
LAMBDA_SWEEP = _PAGES / "lambda_sweep.py"
CONFUSION = _PAGES / "confusion.py"
EMBEDDINGS = _PAGES / "embeddings.py"
TRY_A_PICTURE = _PAGES / "try_a_picture.py"
COMPARE = _PAGES / "compare.py"
LEADERBOARD = _PAGES / "leaderboard.py"
PAPER = _PAGES / "paper.py"
DATA = _PAGES / "data.py"


def menu() -> list[st.Page]:
    """The pages in the order of the menu."""
    return [
        st.Page(HOME, title="Home", icon=":material/home:", default=True),
        st.Page(
            NEW_EXPERIMENT,
            title="New experiment",
            icon=":material/add_circle:",
            help="Set up an experiment and launch it",
        ),
        st.Page(RUNS, title="Runs", icon=":material/monitoring:", help="The queue, all runs and their learning curves"),
        st.Page(
            RUN,
            title="Run",
            icon=":material/timeline:",
            help="What one run gained, its curves, classes, pictures and files",
        ),
        st.Page(
            LAMBDA_SWEEP, title="λ sweep", icon=":material/tune:", help="Accuracy as a function of the residual factor"
        ),
        st.Page(
            EMBEDDINGS,
            title="Embeddings",
            icon=":material/scatter_plot:",
            help="Image features of two models, side by side",
        ),
        st.Page(CONFUSION, title="Confusion", icon=":material/grid_on:", help="Which classes are mistaken for which"),
        st.Page(
            COMPARE, title="Compare", icon=":material/compare_arrows:", help="Runs side by side, and next to the paper"
        ),
        st.Page(
            LEADERBOARD,
            title="Leaderboard",
            icon=":material/leaderboard:",
            help="All methods on the same features with the same effort",
        ),
        st.Page(PAPER, title="Paper", icon=":material/article:", help="The paper's tables and figures, reproduced"),
        st.Page(DATA, title="Data", icon=":material/database:", help="Get, inspect and check datasets"),
        st.Page(
            TRY_A_PICTURE,
            title="Try a picture",
            icon=":material/image_search:",
            help="What each model makes of a picture",
        ),
    ]
