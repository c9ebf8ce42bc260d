"""A CSV or Parquet table with one row per image.

path, label                 relative to the table's folder, or a whole path inside it or a data root;
                            label is a class name or a number
class_name                  names the classes whatever their labels are; else classnames.txt beside the table does
split                       train, val or test; all rows are training images without it

Columns may be in any case, and a CSV's separated by commas, semicolons, tabs or bars.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ballad.data.class_names import NamesFile, readable_name
from ballad.data.readers.collection import ImageCollection
from ballad.data.readers.listing import Listing, find_listed
from ballad.data.readers.splits import SPLITS, split_called
from ballad.errors import DataError

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".parquet"})
_COLUMNS = ("path", "label", "split", "class_name")
_SEPARATORS = (",", ";", "\t", "|")
_WHOLE_NUMBER = re.compile(r"([+-]?\d{1,18})(?:\.0*)?")


def read_table(path: Path) -> ImageCollection:
    """Read the table at ``path``. Raises DataError that names the column, row or image at fault."""
    table = _load(path)
    for column in ("path", "label"):
        if column not in table:
            raise DataError(f"{path} has no column '{column}'; its columns are {', '.join(map(str, table.columns))}.")
    if table.empty:
        raise DataError(f"{path} has no rows.")
    for column in table.columns.intersection(_COLUMNS):
        if (table[column] == "").any():
            raise DataError(f"{path}, row {int(np.argmax(table[column] == '')) + 1}: '{column}' is empty.")
    sources, labels = _labels(path, table["label"])
    class_names, notes = _names(path, table, sources, labels)
    splits, repeats = find_listed(_listings(path, table, labels), path.parent)
    return ImageCollection(path.stem, path.stem, class_names, splits, notes=(*notes, *repeats), sources=sources)


def _load(path: Path) -> pd.DataFrame:
    """The table as text without surrounding blanks, its known columns under their own names."""
    try:
        if path.suffix.lower() == ".parquet":
            table = pd.read_parquet(path)
        else:
            # A class may be called "None" or "NA", and a number may be a name.
            table = pd.read_csv(
                path, sep=_separator(path), dtype=str, index_col=False, keep_default_na=False, encoding="utf-8-sig"
            )
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8; save it as CSV in UTF-8.") from None
    except (OSError, ValueError) as error:  # pyarrow's and pandas' own errors are kinds of these
        raise DataError(f"{path} cannot be read as a table: {str(error).partition(chr(10))[0]}.") from None
    table = table.rename(columns=_known_columns(path, table))
    for column in table.columns.intersection(_COLUMNS):
        values = table[column]
        table[column] = values.astype(object).where(values.notna(), "").astype(str).str.strip()
    return table


def _separator(path: Path) -> str:
    """The separator that splits the header into the most columns."""
    with path.open(encoding="utf-8-sig") as file:
        header = file.readline()
    return max(_SEPARATORS, key=header.count)


def _known_columns(path: Path, table: pd.DataFrame) -> dict[str, str]:
    found: dict[str, str] = {}
    for column in table.columns:
        name = str(column).strip().casefold()
        if name in _COLUMNS:
            if name in found.values():
                other = next(other for other, known in found.items() if known == name)
                raise DataError(f"{path} has two columns '{name}', called '{other}' and '{column}'; keep one.")
            found[column] = name
    return found


def _labels(path: Path, texts: pd.Series) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The distinct labels, numbers in their order and words in theirs, and the class index of each row [N]."""
    numbers = [_WHOLE_NUMBER.fullmatch(text) for text in texts]
    if not all(numbers):
        labels, words = pd.factorize(texts, sort=True)
        return tuple(words), labels.astype(np.int64)
    values = np.array([int(match[1]) for match in numbers if match])
    if values.min() < 0:
        row = int(np.argmin(values)) + 1
        raise DataError(f"{path}, row {row}: the label {values.min()} is negative; remove the row or name its class.")
    distinct, labels = np.unique(values, return_inverse=True)
    return tuple(map(str, distinct.tolist())), labels.astype(np.int64)


def _names(
    path: Path, table: pd.DataFrame, sources: tuple[str, ...], labels: NDArray[np.int64]
) -> tuple[tuple[str, ...], list[str]]:
    """The names of the classes [K], and notes on names that are not used."""
    if "class_name" in table:
        return _names_by_row(path, table["class_name"].to_numpy(), sources, labels), []
    beside = path.with_name("classnames.txt")
    file = NamesFile.read(beside) if beside.exists() else None
    if all(map(str.isdecimal, sources)):
        if file is None:
            raise DataError(
                f"{path} numbers its classes but does not name them; add a column 'class_name' or {beside}."
            )
        return _names_of_numbers(path, [int(source) for source in sources], file, labels), []
    if file is not None and file.by_id is not None and set(sources) <= set(file.by_id):
        return tuple(file.by_id[source] for source in sources), []
    notes = [] if file is None else [f"{beside} is not used: its lines do not say which label they name."]
    return tuple(readable_name(source) for source in sources), notes


def _names_by_row(
    path: Path, names: np.ndarray, sources: tuple[str, ...], labels: NDArray[np.int64]
) -> tuple[str, ...]:
    _, first_row = np.unique(labels, return_index=True)
    different = np.flatnonzero(names != names[first_row][labels])
    if len(different):
        row = int(different[0])
        first = int(first_row[labels[row]])
        raise DataError(
            f"{path} gives class {sources[labels[row]]} two names, '{names[first]}' in row {first + 1} and "
            f"'{names[row]}' in row {row + 1}."
        )
    return tuple(names[first_row])


def _names_of_numbers(path: Path, numbers: list[int], file: NamesFile, labels: NDArray[np.int64]) -> tuple[str, ...]:
    name_of: Mapping[int, str] = file.of_labels(numbers)
    for index, number in enumerate(numbers):
        if number not in name_of:
            row = int(np.argmax(labels == index)) + 1
            raise DataError(f"{path}, row {row}: label {number} has no name among the {len(name_of)} of {file.path}.")
    return tuple(name_of[number] for number in numbers)


def _listings(path: Path, table: pd.DataFrame, labels: NDArray[np.int64]) -> dict[str, Listing]:
    split_of_row = table["split"].map(split_called) if "split" in table else pd.Series("train", index=table.index)
    unknown = np.flatnonzero(split_of_row.isna())
    if len(unknown):
        value = table["split"].iloc[unknown[0]]
        raise DataError(f"{path}, row {unknown[0] + 1}: split '{value}' is not one of train, val and test.")
    rows_of = {split: np.flatnonzero(split_of_row == split) for split in SPLITS}
    if not len(rows_of["train"]):
        raise DataError(f"{path} has no row with split 'train'.")

    def listing(rows: NDArray[np.int64]) -> Listing:
        return Listing(table["path"].iloc[rows].tolist(), labels[rows], lambda index: f"{path}, row {rows[index] + 1}")

    return {split: listing(rows) for split, rows in rows_of.items() if len(rows)}
