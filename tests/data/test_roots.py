import os

import pytest

from ballad.data.roots import data_roots, resolve_inside_roots
from ballad.errors import DataError


@pytest.fixture
def roots(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        (folder / "set").mkdir(parents=True)
    return folders


def test_roots_come_from_the_environment(monkeypatch, roots):
    monkeypatch.setenv("BALLAD_DATA", os.pathsep.join(map(str, roots)))
    assert data_roots() == roots


def test_the_default_root_is_data(monkeypatch, tmp_path):
    monkeypatch.delenv("BALLAD_DATA")
    monkeypatch.chdir(tmp_path)
    assert data_roots() == [tmp_path / "data"]


def test_relative_paths_are_found_in_the_first_root_that_has_them(roots):
    (roots[1] / "other").mkdir()
    assert resolve_inside_roots("set", roots) == roots[0] / "set"
    assert resolve_inside_roots("other", roots) == roots[1] / "other"


def test_absolute_paths_inside_a_root(roots):
    assert resolve_inside_roots(roots[1] / "set", roots) == roots[1] / "set"


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret", "set/../../secret", "~"])
def test_paths_outside(roots, path):
    with pytest.raises(DataError, match=r"lies outside the data roots .*BALLAD_DATA"):
        resolve_inside_roots(path, roots)


def test_links_that_lead_outside(roots, tmp_path):
    (tmp_path / "secret").mkdir()
    (roots[0] / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(DataError, match="lies outside the data roots"):
        resolve_inside_roots("link", roots)


def test_a_sibling_with_the_root_s_name_in_front(roots, tmp_path):
    (tmp_path / "one-more").mkdir()
    with pytest.raises(DataError, match="lies outside"):
        resolve_inside_roots(tmp_path / "one-more", roots)


def test_paths_that_do_not_exist(roots):
    with pytest.raises(DataError, match="nothing does not exist in the data roots"):
        resolve_inside_roots("nothing", roots)


@pytest.mark.parametrize("path", ["a" * 400, "a\0b"])
def test_what_no_file_can_be_called(roots, path):
    with pytest.raises(DataError, match="is not a valid file name"):
        resolve_inside_roots(path, roots)
