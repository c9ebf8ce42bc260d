"""A CSV or Parquet table with one row an image.

path, label                 relative to the table's folder, or a whole path inside it or a data root;
                            label is a class name or a number
class_name                  for numbered labels, unless classnames.txt lies beside the table
split                       train, val or test; all rows are training images without it
"""

from pathlib import Path

import numpy as np
import pandas as pd

from ballad.data.class_names import read_class_names, readable_name
from ballad.data.files import ImageFiles
from ballad.data.long_tail import Split
from ballad.data.readers.collection import ImageCollection
from ballad.errors import DataError

TABLE_SUFFIXES = frozenset({".csv", ".parquet"})
SPLITS = ("train", "val", "test")


def read_table(path: Path) -> ImageCollection:
    """Read the table at ``path``. Raises DataError that names the column, row or image at fault."""
    table = _load(path)
    for column in ("path", "label"):
        if column not in table:
            raise DataError(f"{path} has no column '{column}'; its columns are {', '.join(map(str, table.columns))}.")
    if table.empty:
        raise DataError(f"{path} has no rows.")
    for column in table.columns.intersection(["path", "label", "split", "class_name"]):
        if table[column].isna().any():
            raise DataError(f"{path}, row {int(np.argmax(table[column].isna())) + 1}: '{column}' is empty.")
    class_names, labels = _classes(path, table)
    return ImageCollection(path.stem, path.stem, class_names, _splits(path, table, labels))


def _load(path: Path) -> pd.DataFrame:
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, keep_default_na=False, na_values=[""])  # a class may be called "None" or "NA"
    except (OSError, ValueError) as error:  # pyarrow's and pandas' own errors are kinds of these
        raise DataError(f"{path} cannot be read as a table: {str(error).splitlines()[0]}.") from None


def _classes(path: Path, table: pd.DataFrame) -> tuple[tuple[str, ...], np.ndarray]:
    """Class names in label order, and the label of each row [N]."""
    if not pd.api.types.is_integer_dtype(table["label"]):
        labels, names = pd.factorize(table["label"].astype(str), sort=True)
        return tuple(readable_name(name) for name in names), labels.astype(np.int64)
    labels = table["label"].to_numpy(dtype=np.int64)
    names_file = path.with_name("classnames.txt")
    if "class_name" in table:
        return _names_by_label(path, table), labels
    if names_file.exists():
        return tuple(read_class_names(names_file)[0]), labels
    raise DataError(f"{path} numbers its classes but does not name them; add a column 'class_name' or {names_file}.")


def _names_by_label(path: Path, table: pd.DataFrame) -> tuple[str, ...]:
    names = table.groupby("label")["class_name"].unique()
    for label, found in names.items():
        if len(found) > 1:
            raise DataError(f"{path} gives class {label} two names, '{found[0]}' and '{found[1]}'.")
    if list(names.index) != list(range(len(names))):
        missing = next(label for label, there in enumerate([*names.index, None]) if label != there)
        raise DataError(f"{path} has labels up to {names.index.max()} but no image of class {missing}.")
    return tuple(str(found[0]) for found in names)


def _splits(path: Path, table: pd.DataFrame, labels: np.ndarray) -> dict[str, Split]:
    split_of_row = table["split"] if "split" in table else pd.Series("train", index=table.index)
    unknown = split_of_row[~split_of_row.isin(SPLITS)]
    if len(unknown):
        row, value = unknown.index[0] + 1, unknown.iloc[0]
        raise DataError(f"{path}, row {row}: split '{value}' is none of train, val and test.")
    splits = {}
    for name in SPLITS:
        rows = np.flatnonzero(split_of_row == name)
        if len(rows):
            files = ImageFiles.find(path.parent, [str(image) for image in table["path"].iloc[rows]])
            splits[name] = Split(name, labels[rows], files)
    if "train" not in splits:
        raise DataError(f"{path} has no row with split 'train'.")
    return splits
