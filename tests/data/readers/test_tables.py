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
        ({"split": ["train", "train", "train", "holdout"]}, r"row 4: split 'holdout' is none of train, val and test"),
        ({"split": ["test"] * 4}, r"no row with split 'train'"),
        ({"label": [0, 0, 1, 1]}, r"numbers its classes but does not name them"),
        ({"label": [0, 0, 2, 2], "class_name": list("aabb")}, r"labels up to 2 but no image of class 1"),
        ({"label": [0, 0, 1, 1], "class_name": list("abcc")}, r"gives class 0 two names, 'a' and 'b'"),
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
