"""A leaderboard that was launched: what to make of it, its table, and its trade-off."""

from collections.abc import Sequence

import streamlit as st

from ballad.errors import BalladError
from ballad.leaderboard.board import Board, Row
from ballad.leaderboard.formats import describe, leaderboard_latex, published_rows
from ballad.leaderboard.protocol import NO_VALIDATION
from ballad.leaderboard.recommendation import Recommendation
from ballad.paper.budgets import BUDGETS
from ballad.paper.published import AS_PRINTED
from ballad.shot_groups import GROUP_HELP, GROUPS
from ballad.wording import counted
from dashboard.figures.trade_off import trade_off
from dashboard.navigation import COMPARE, RUN
from dashboard.reading.loaders import images_in_split
from dashboard.reading.plans import dataset_facts
from dashboard.text import as_text
from dashboard.ui.charts import customdata, show_chart
from dashboard.ui.downloads import figure_downloads, table_downloads
from dashboard.views.leaderboard.board_tables import (
    LINKS,
    METRIC_TITLES,
    RANKS,
    board_rows,
    board_table,
    ranked,
    row_links,
    trade_off_points,
    unfinished,
)
from dashboard.views.leaderboard.launcher import open_with_validation
from dashboard.views.leaderboard.methods_view import show_methods
from dashboard.views.leaderboard.request import proposal

_HELP = {
    **{METRIC_TITLES[group]: f"Test accuracy on {GROUP_HELP[group]} (%)" for group in GROUPS},
    "Above BALLAD": "Points above BALLAD on all test images, with the 95 % interval of a paired bootstrap over them, "
    "seeds pooled; * is more than noise",
    "Validation": "Accuracy on all validation images (%), by which the recommendation chooses",
    METRIC_TITLES["balanced_error"]: "100 − the mean of the classes' test accuracies; smaller is better",
    METRIC_TITLES["ece"]: "Mean gap between confidence and accuracy over 15 bins (ECE); smaller is better",
    "Trained": "Parameters of one head that gradients change",
    "Time": "Training all seeds and grid points, as measured when it took place",
    "Seeds": "Runs of the row; a method in which a seed changes nothing runs once",
}


def show_board(board: Board) -> None:
    """Everything that is known of it so far."""
    st.subheader(as_text(describe(board)), anchor=False)
    _warn(board)
    rows, recommended = board_rows(board)
    if rows:
        _show_recommendation(recommended)
        _show_table(board, rows)
        _show_trade_off(board, rows)
    else:
        st.caption("Rows appear here as runs finish.")
    with st.expander("What each method tries, and what it computes", icon=":material/grid_view:"):
        show_methods(board.leaderboard, key="methods_of_board")


def _warn(board: Board) -> None:
    """Says what limits the numbers: a reduced budget, synthetic pictures, no validation split."""
    base = board.leaderboard.base
    if base.budget != "full":
        explained = BUDGETS[base.budget].explanation if base.budget in BUDGETS else "reduced"
        st.warning(
            f"Budget {as_text(base.budget)} ({explained}): these runs trained less than the paper's. Compare the rows "
            "with each other, not with published ones.",
            icon=":material/warning:",
        )
    if not board.leaderboard.searched:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.warning(NO_VALIDATION, icon=":material/rule:")
            _offer_validation(board)


def _offer_validation(board: Board) -> None:
    try:
        each = proposal(dataset_facts(board.leaderboard.base.dataset))
    except BalladError:  # the dataset has gone since
        return
    if each:
        st.button(
            f"Set {counted(each, 'image')} per class aside",
            icon=":material/content_cut:",
            on_click=open_with_validation,
            args=(board.leaderboard, each),
        )


def _show_recommendation(recommended: Recommendation) -> None:
    with st.container(border=True, gap="small"):
        st.markdown(f":material/recommend: {as_text(recommended.verdict)}")
        if recommended.alike:
            st.markdown("\n".join(f"- {as_text(sentence)}" for sentence in recommended.alike))
        if recommended.limits:
            st.caption(as_text(recommended.limits))


def _show_table(board: Board, rows: Sequence[Row]) -> None:
    rank = st.segmented_control(
        "Ranked by",
        list(RANKS),
        default="all",
        format_func=RANKS.__getitem__,
        key="rank",
        required=True,
        bind="query-params",
    )
    shown = ranked(rows, rank)
    table = board_table(board, shown)
    linked = table.join(row_links(shown))
    linked = linked[["Method", *LINKS, *table.columns.drop("Method")]]
    numbers = {
        title: st.column_config.TextColumn(title, help=_HELP.get(title), alignment="right")
        for title in table.columns.drop(["Method", "Chosen on validation"])
    }
    pages = {
        title: st.column_config.LinkColumn("", help=help, display_text=f":material/{icon}:", width=40)
        for title, (icon, help) in LINKS.items()
    }
    st.dataframe(
        linked,
        hide_index=True,
        column_config={"Method": st.column_config.TextColumn(pinned=True, width=210), **pages, **numbers},
        placeholder="",
        height="content",
        alt="Every method with its accuracy by shot group, its cost and its links",
    )
    name = f"leaderboard {board.dataset_title}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_explanation(board))
        caption = f"{describe(board)}. Test accuracy (%), mean ± s.d. over seeds."
        table_downloads(
            name, table, caption=caption, key="board", latex=lambda: leaderboard_latex(board, shown).encode()
        )
    every_run = list(dict.fromkeys(run for row in rows for run in row.runs))
    st.page_link(
        COMPARE, label="Compare all of these runs", icon=":material/compare_arrows:", query_params={"run": every_run}
    )


def _explanation(board: Board) -> str:
    said = (
        "Percent on test, mean ± standard deviation over seeds. The signs beside each method open its runs, the "
        "confusion of its first run, and its comparison with BALLAD. “Head only”: the published system also trains its "
        "backbone, which is frozen here."
    )
    published = published_rows(board.leaderboard)
    if published:
        said += " Published rows are the paper's Tables 1–3 on this dataset, on the backbones that they name."
    if any(each["mark"] for each in published):
        said += f" {AS_PRINTED}"
    if waiting := unfinished(board):
        said += f" Runs to come: {as_text(', '.join(waiting))}."
    return said


def _show_trade_off(board: Board, rows: Sequence[Row]) -> None:
    st.subheader("Few-shot against many-shot classes", anchor=False)
    points = trade_off_points(board, rows)
    runs = [run for row in rows for run in row.runs]
    figure = trade_off(points, images=images_in_split(runs, "test"))
    events = show_chart(figure, key="trade_off", label="Few-shot against many-shot accuracy of every method")
    if events.clicked is not None:
        for run_id in filter(None, customdata(figure, [events.clicked])):
            st.switch_page(RUN, query_params={"run": run_id})
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "Up and to the right is better. No row is better in both than a row on the dotted front; each row on it "
            "is another compromise between frequent and rare classes. Click a point to open its run."
        )
        figure_downloads(f"trade-off {board.dataset_title}", figure, points.drop(columns="kind"), key="trade_off")
