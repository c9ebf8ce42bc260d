import pandas as pd
import pytest

from ballad.data.readers.tables import read_table
from ballad.errors import DataError

ROWS = {
    "path": ["a/0.png", "a/1.png", "b/0.png", "b/1.png"],
    "label": ["sea_snake", "sea_snake", "goldfish", "goldfish"],
    "split": ["train", "test", "train", "test"],
}


@pytest.fixture
def table(tmp_path, write_picture):
    for name in ROWS["path"]:
        write_picture(tmp_path / name)

    def write(suffix=".csv", **columns):
        frame = pd.DataFrame({name: column for name, column in {**ROWS, **columns}.items() if column is not None})
        path = tmp_path / f"table{suffix}"
        frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
        return path

    return write


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_labels_as_words(table, suffix):
    found = read_table(table(suffix))
    assert found.class_names == ("goldfish", "sea snake")
    assert found.splits["test"].labels.tolist() == [1, 0]
    assert found.train.sample_name(0) == "a/0.png"


def test_labels_as_numbers_with_a_name_column(table):
    found = read_table(table(label=[1, 1, 0, 0], class_name=["snake", "snake", "fish", "fish"]))
    assert found.class_names == ("fish", "snake")
    assert found.train.labels.tolist() == [1, 0]


def test_labels_as_numbers_with_a_names_file(table, tmp_path):
    (tmp_path / "classnames.txt").write_text("fish\nsnake\n")
    assert read_table(table(label=[1, 1, 0, 0])).class_names == ("fish", "snake")


def test_without_splits_all_rows_train(table):
    assert {name: len(split) for name, split in read_table(table(split=None)).splits.items()} == {"train": 4}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"label": None}, r"has no column 'label'; its columns are path, split"),
        ({"label": ["x", "x", None, "y"]}, r"row 3: 'label' is empty"),
        (
            {"split": ["train", "train", "train", "holdout"]},
            r"row 4: split 'holdout' is not one of train, val and test",
        ),
        ({"split": ["test"] * 4}, r"no row with split 'train'"),
        ({"label": [0, 0, 1, 1]}, r"numbers its classes but does not name them"),
        ({"label": [0, 0, -1, 1]}, r"row 3: the label -1 is negative"),
        (
            {"label": [0, 0, 1, 1], "class_name": list("abcc")},
            r"gives class 0 two names, 'a' in row 1 and 'b' in row 2",
        ),
        ({"path": ["a/0.png", "a/1.png", "b/0.png", "lost.png"]}, r"The image lost.png is missing"),
        (
            {"path": ["a/0.png", "a/1.png", "b/0.png", "../b/1.png"]},
            r"The image ../b/1.png lies outside .* and the data roots \(.*root\); add its folder to BALLAD_DATA",
        ),
        ({"path": ["a/0.png", "a/1.png", "b/0.png", "/etc/passwd"]}, r"The image /etc/passwd lies outside"),
    ],
)
def test_a_defect_is_named(table, columns, message):
    with pytest.raises(DataError, match=message):
        read_table(table(**columns))


def test_not_a_table(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"nonsense")
    with pytest.raises(DataError, match=r"t.parquet cannot be read as a table"):
        read_table(tmp_path / "t.parquet")


def test_whole_paths_inside_the_table_s_folder_count_as_relative(table, tmp_path):
    written = read_table(table())
    whole = read_table(table(path=[str(tmp_path / name) for name in ROWS["path"]]))
    assert whole.train.paths.names == written.train.paths.names == ("a/0.png", "b/0.png")


def test_paths_may_lead_into_a_data_root(table, tmp_path, write_picture):
    elsewhere = write_picture(tmp_path / "root" / "pool" / "9.png")
    table_folder = tmp_path / "tables"
    table_folder.mkdir()
    for name in (str(elsewhere), "../root/pool/9.png"):
        rows = pd.DataFrame({"path": [name], "label": ["fish"]})
        rows.to_csv(table_folder / "t.csv", index=False)
        assert read_table(table_folder / "t.csv").train.paths[0].resolve() == elsewhere.resolve()


def test_a_link_does_not_lead_out_of_the_data_roots(table, tmp_path, write_picture):
    write_picture(tmp_path / "secret" / "9.png")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(DataError, match="lies outside"):
        (tmp_path / "tables").mkdir()
        pd.DataFrame({"path": ["../root/link/9.png"], "label": ["fish"]}).to_csv(tmp_path / "tables/t.csv")
        read_table(tmp_path / "tables" / "t.csv")


def test_classes_that_read_like_nothing(table):
    assert read_table(table(label=["None", "None", "NA", "NA"])).class_names == ("NA", "None")


def csv(table, text):
    """The table with this text; %s stands for its four rows' paths."""
    path = table()
    path.write_text(text % tuple(ROWS["path"]))
    return read_table(path)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_found_out(table, separator):
    rows = "path,label,split\n%s,cat,train\n%s,cat,test\n%s,dog,train\n%s,dog,test\n"
    found = csv(table, rows.replace(",", separator))
    assert found.class_names == ("cat", "dog") and found.train.paths.names == ("a/0.png", "b/0.png")


def test_headers_and_splits_in_whatever_case(table):
    found = csv(table, "Path, LABEL ,Split\n%s,cat,Train\n%s,cat,Valid\n%s,dog,training\n%s,dog,TEST\n")
    assert {split: len(part) for split, part in found.splits.items()} == {"train": 2, "val": 1, "test": 1}


def test_two_columns_of_one_name_are_refused(table):
    with pytest.raises(DataError, match=r"has two columns 'label', called 'label' and 'Label'; keep one"):
        read_table(table(Label=list("abcd")))


def test_blanks_around_a_label_do_not_make_a_class(table):
    assert read_table(table(label=["cat", "cat ", " dog", "dog"])).class_names == ("cat", "dog")


@pytest.mark.parametrize(
    ("labels", "sources"),
    [
        ([0.0, 0.0, 1.0, 1.0], ("0", "1")),
        ([1, 1, 2, 2], ("1", "2")),
        ([9, 9, 10, 10], ("9", "10")),
        (["9", "9", "10.0", "10"], ("9", "10")),
        (["n01", "n01", "n02", "n02"], ("n01", "n02")),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_name_column_names_whatever_labels_there_are(table, suffix, labels, sources):
    found = read_table(table(suffix, label=labels, class_name=["owl", "owl", "cat", "cat"]))
    assert (found.class_names, found.class_sources) == (("owl", "cat"), sources)
    assert found.train.labels.tolist() == [0, 1]


def test_numbers_as_names_stay_as_they_are_written(table):
    assert read_table(table(label=[1, 1, 2, 2], class_name=["3", "3", "007", "007"])).class_names == ("3", "007")


@pytest.mark.parametrize("names", ["fish\nsnake\n", "5 fish\n7 snake\n", "7 snake\n5 fish\n"])
def test_a_names_file_for_numbers_with_gaps(table, tmp_path, names):
    (tmp_path / "classnames.txt").write_text(names)
    assert read_table(table(label=[7, 7, 5, 5])).class_names == ("fish", "snake")


def test_a_names_file_for_words(table, tmp_path):
    (tmp_path / "classnames.txt").write_text("n01443537 goldfish\nn01748264 sea snake\nn09999999 unused\n")
    found = read_table(table(label=["n01748264", "n01748264", "n01443537", "n01443537"]))
    assert (found.class_names, found.notes) == (("goldfish", "sea snake"), ())
    (tmp_path / "classnames.txt").write_text("goldfish\nsea snake\n")
    found = read_table(table(label=["B", "B", "A", "A"]))
    assert found.class_names == ("A", "B") and "is not used" in found.notes[0]


def test_a_picture_with_two_labels_is_refused_by_its_rows(table):
    with pytest.raises(DataError, match=r"a/0.png has two labels, one in .*csv, row 1 and another in .*csv, row 3"):
        read_table(table(path=["a/0.png", "a/1.png", "./a/0.png", "b/1.png"]))


def test_a_row_that_comes_twice_counts_once(table):
    found = read_table(table(path=["a/0.png", "a/0.png", "b/0.png", "b/1.png"], split=None))
    assert found.train.paths.names == ("a/0.png", "b/0.png", "b/1.png")
    assert found.notes[0].startswith("1 image is listed again with the same label, the first in")
    assert found.notes[0].endswith("table.csv, row 2; each counts once.")


def test_backslashes_separate_folders_where_no_such_file_exists(table, tmp_path, write_picture):
    write_picture(tmp_path / "b" / "1.png")
    write_picture(tmp_path / r"b\1.png")
    found = read_table(table(path=[r"a\0.png", "a/1.png", "b/0.png", r"b\1.png"], split=None))
    assert found.train.paths.names == ("a/0.png", "a/1.png", "b/0.png", r"b\1.png")
    with pytest.raises(DataError, match="lies outside"):
        read_table(table(path=["a/0.png", "a/1.png", "b/0.png", r"..\b\1.png"]))


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_table_that_is_not_utf_8(table, encoding):
    path = table(label=["café", "café", "thé", "thé"])
    path.write_text(path.read_text(), encoding=encoding)
    with pytest.raises(DataError, match=r"table.csv is not UTF-8; save it as CSV in UTF-8"):
        read_table(path)


def test_a_path_with_a_nul(table):
    with pytest.raises(DataError, match=r"The image a\\x00.png is missing"):
        read_table(table(".parquet", path=["a/0.png", "a/1.png", "b/0.png", "a\0.png"]))
