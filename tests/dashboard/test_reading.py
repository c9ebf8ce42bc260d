"""What all sessions of a server read together: the runs as they are now, and files up to so many bytes."""

import pandas as pd
import pytest

from ballad.store import queries
from dashboard.reading.kept import Kept
from dashboard.reading.run_table import RunTable
from tests.helpers.stored_runs import done, failed, running


def everything(table: pd.DataFrame) -> pd.DataFrame:
    """Without the seconds of a running run, which pass."""
    return table.drop(columns=["label", "sparkline", "seconds"], errors="ignore")


def test_the_table_of_runs_is_the_store_after_every_kind_of_change(store):
    table = RunTable(store)
    assert table.current().empty
    assert list(everything(table.current())) == list(everything(queries.runs(store)))

    first, second = done(store, name="first"), failed(store, "It failed.", name="second")
    third, owner = running(store, name="third")
    changes = [
        lambda: None,
        lambda: store.edit(first, name="renamed", notes="", tags=["a"]),
        lambda: store.finish(third, owner, "done"),
        lambda: store.delete(second),
        lambda: store.restore(second),
        lambda: (store.delete(second), store.purge()),  # between two looks
        lambda: done(store, name="fourth"),
        lambda: store.delete(*queries.run_ids(store)),
        lambda: done(store, name="fifth"),
    ]
    for change in changes:
        change()
        now = table.current()
        pd.testing.assert_frame_equal(everything(now), everything(queries.runs(store)), check_dtype=not now.empty)
        curves = queries.sparklines(store, now["id"].tolist())
        assert now["sparkline"].tolist() == [curves.get(run_id, []) for run_id in now["id"]]
        assert all(label.endswith(run_id) for label, run_id in zip(now["label"], now["id"], strict=True))


def test_a_caller_who_changes_the_table_does_not_change_it_for_others(store):
    done(store, name="mine")
    table = RunTable(store)
    mine = table.current()
    mine.loc[0, "name"] = "yours"
    mine["label"] = "yours"
    assert table.current()["name"].tolist() == ["mine"]


def test_only_runs_that_changed_are_read_again(store):
    first, second = done(store, name="first"), done(store, name="second")
    before = store.version()
    store.edit(first, name="renamed", notes="", tags=[])
    assert queries.runs(store, changed_after=before)["id"].tolist() == [first]
    assert queries.runs(store, changed_after=-1)["id"].tolist() == [second, first]


def test_what_was_asked_for_longest_ago_makes_room():
    read: list[str] = []
    kept = Kept(10, len)

    def get(key: str, value: str) -> str:
        return kept.get(key, lambda: (read.append(key), value)[1])

    for key in ("a", "b", "a"):
        assert get(key, key * 4) == key * 4
    assert read == ["a", "b"]
    assert get("c", "c" * 4) == "cccc"  # with 12 bytes, b has to go
    assert (get("a", ""), get("c", "")) == ("aaaa", "cccc")
    get("b", "b" * 4)
    assert read == ["a", "b", "c", "b"]
    assert get("large", "l" * 11) == "l" * 11  # and pushes nothing out
    assert (get("c", ""), get("b", "")) == ("cccc", "bbbb")


def test_what_could_not_be_read_is_read_again():
    kept = Kept(10, len)

    def fail() -> str:
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        kept.get("a", fail)
    assert kept.get("a", lambda: "here") == "here"
