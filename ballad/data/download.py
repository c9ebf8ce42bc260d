"""Fetch an archive: resumable, checked against its published checksum, unpacked without leaving its folder."""

import hashlib
import http.client
import os
import shutil
import tarfile
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ballad.errors import DataError
from ballad.events import CancelToken
from ballad.locks import exclusive
from ballad.whole_files import name_whole

CHUNK_BYTES = 1 << 20
TIMEOUT_SECONDS = 30

OnBytes = Callable[[int, int], None]
"""Called with the bytes downloaded so far and the bytes of the whole file."""


@dataclass(frozen=True)
class Archive:
    """A file on the web, with the checksum and size that it must have."""

    url: str
    md5: str
    size: int
    """Bytes."""

    @property
    def file_name(self) -> str:
        return self.url.rsplit("/", 1)[1]


@contextmanager
def alone_with(archive: Archive, folder: Path, cancel: CancelToken) -> Iterator[None]:
    """Make ``folder``, and keep other threads and processes from downloading ``archive`` into it meanwhile.

    A second caller waits. Raises DataError if the folder cannot be made or written to, and Cancelled.
    """
    with ExitStack() as lock:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock.enter_context(exclusive(folder / f".{archive.file_name}.lock", cancel.check))
        except OSError as error:
            raise DataError(f"The folder {folder} cannot be made or written to: {error.strerror}.") from None
        yield


def fetch(archive: Archive, folder: Path, on_bytes: OnBytes, cancel: CancelToken) -> Path:
    """Download ``archive`` into an existing ``folder``, going on where an earlier attempt stopped.

    Raises DataError if the server cannot be reached or the checksum is wrong, and Cancelled.
    """
    target = folder / archive.file_name
    if target.exists():
        if not _is_whole(archive, target):
            raise DataError(f"{target} has the wrong checksum; delete the file to download it again.")
        return target
    partial = target.with_name(target.name + ".part")
    try:
        _download(archive, partial, on_bytes, cancel)
    except (OSError, http.client.HTTPException) as error:
        raise DataError(
            f"{archive.url} cannot be downloaded ({_reason(error)}); try again to continue the download."
        ) from None
    if not _is_whole(archive, partial):
        partial.unlink()
        raise DataError(f"The file from {archive.url} had the wrong checksum and was deleted; download it again.")
    name_whole(partial, target)
    return target


def unpack(path: Path, folder: Path) -> None:
    """Unpack a ``.tar.gz`` or ``.zip`` into ``folder``, only if the whole archive can be read.

    An existing folder is added to; its other files stay. Raises DataError for a damaged
    archive, and for one with a member that would land outside ``folder``.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unpacking-") as scratch:
        try:
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as zipped:
                    _refuse_escapes(path, zipped.namelist())
                    zipped.extractall(scratch)
            else:
                with tarfile.open(path) as tarred:
                    tarred.extractall(scratch, filter="data")
        except tarfile.FilterError as error:
            raise DataError(f"The archive {path} was not unpacked: {error}.") from None
        except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
            raise DataError(f"The archive {path} cannot be unpacked: {error}; delete it and try again.") from None
        for entry in Path(scratch).iterdir():
            if (folder / entry.name).is_dir():
                # What the user has put there, such as names of classes, stays.
                shutil.copytree(entry, folder / entry.name, copy_function=os.replace, dirs_exist_ok=True)
            else:
                os.replace(entry, folder / entry.name)


def _download(archive: Archive, partial: Path, on_bytes: OnBytes, cancel: CancelToken) -> None:
    done = partial.stat().st_size if partial.exists() else 0
    if done >= archive.size:
        return
    request = urllib.request.Request(archive.url, headers={"Range": f"bytes={done}-"} if done else {})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        if answer.status != 206:  # the server sends the whole file whatever was asked for
            done = 0
        with partial.open("ab" if done else "wb") as file:
            while chunk := answer.read(CHUNK_BYTES):
                cancel.check()
                file.write(chunk)
                done += len(chunk)
                on_bytes(done, archive.size)
    if done < archive.size:
        raise TimeoutError(f"the connection ended after {done:,} of {archive.size:,} bytes")


def _reason(error: Exception) -> str:
    cause = getattr(error, "reason", error)
    return getattr(cause, "strerror", None) or str(cause).strip()


def _is_whole(archive: Archive, path: Path) -> bool:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest() == archive.md5


def _refuse_escapes(path: Path, names: list[str]) -> None:
    for name in names:
        if name.startswith(("/", "\\")) or ".." in Path(name).parts:
            raise DataError(f"The archive {path} was not unpacked: its member '{name}' would land outside the folder.")
