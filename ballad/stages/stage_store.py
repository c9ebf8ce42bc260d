"""Content-addressed stages: each result is kept once, under the hash of exactly what it was made from.

stages/<kind>/<key>/            a finished result, with manifest.json
stages/<kind>/<key>.partial/    work in progress, or cut off; a later attempt continues in it
stages/<kind>/<key>.removed/    being deleted

A result counts as long as its files are those that the manifest records, byte for byte. One that has changed, or lost a
file, is absent: it is computed anew.
"""

import json
import math
import platform
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from ballad.digests import changed_file, is_record, missing_file, record
from ballad.errors import BalladError, RunError
from ballad.events import CancelToken, EventSink, Notice, StageFinished, StageStarted
from ballad.experiment import settings_hash
from ballad.home import stages_dir
from ballad.locks import exclusive, exclusive_if_free
from ballad.whole_files import REMOVED, name_whole, remove_leftovers, remove_whole, write_text_whole

STAGE_VERSIONS = {
    "towers": 1,
    "mixed_towers": 1,
    "class_text": 1,
    "features": 1,
    "views": 1,
    "adapter": 1,
    "evaluation": 1,
    "neighbourhood": 2,
    "projection": 2,
}
"""Raised when a stage's code changes its numbers, so that old results are not taken for new ones."""

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Stage:
    """One result: its kind, and everything that can change its numbers, as JSON-able values."""

    kind: str
    inputs: dict[str, Any]

    @cached_property
    def key(self) -> str:
        return settings_hash({"kind": self.kind, "version": STAGE_VERSIONS[self.kind], "inputs": self.inputs})


class StageStore:
    """The stages below a home folder."""

    def __init__(self, home: Path) -> None:
        self.root = stages_dir(home)

    def folder(self, stage: Stage) -> Path:
        """Where the finished result lies, or will."""
        return self.root / stage.kind / stage.key

    def present(self, stage: Stage) -> bool:
        """Whether the result is there and is what was computed; reads its files once per process."""
        return _fault(self.folder(stage)) is None

    def recorded(self, stage: Stage) -> bool:
        """Whether the result seems to be there, by its manifest and the sizes of its files; reads no content."""
        return _incomplete(self.folder(stage)) is None

    def kept(self, stage: Stage) -> Path:
        """The folder of a finished run's stage; RunError if it was removed or has changed."""
        if (fault := _fault(self.folder(stage))) is not None:
            raise RunError(f"The run's stage {stage.kind} {stage.key} {fault}; run the experiment again.")
        return self.folder(stage)

    def obtain(
        self, stage: Stage, compute: Callable[[Path], None], *, device: str, on_event: EventSink, cancel: CancelToken
    ) -> Path:
        """The folder of the finished result; ``compute`` fills a folder if it is not there yet.

        A caller waits for a stage that another run is computing. What ``compute`` left behind when it was cut off is
        there for its next attempt.
        """

        def compute_one(folders: dict[str, Path]) -> None:
            compute(folders[stage.key])

        return self.obtain_together(stage, [], compute_one, device=device, on_event=on_event, cancel=cancel)

    def obtain_together(
        self,
        stage: Stage,
        companions: Sequence[Stage],
        compute: Callable[[dict[str, Path]], Mapping[str, BalladError] | None],
        *,
        device: str,
        on_event: EventSink,
        cancel: CancelToken,
    ) -> Path:
        """As :meth:`obtain`, and in the same go those companions that are missing and that nobody is computing.

        ``compute`` gets the folders to fill by stage key, and returns the errors of those that it could not fill: the
        others are kept, then the error of ``stage`` is raised.
        """
        if self.present(stage):
            on_event(StageFinished(stage.kind, stage.key, 0.0, reused=True))
            return self.folder(stage)
        (self.root / stage.kind).mkdir(parents=True, exist_ok=True)
        with ExitStack() as locks:
            locks.enter_context(exclusive(self._lock_file(stage.kind, stage.key), cancel.check))
            if self.present(stage):
                on_event(StageFinished(stage.kind, stage.key, 0.0, reused=True))
                return self.folder(stage)
            on_event(StageStarted(stage.kind, stage.key))
            started = time.monotonic()
            computed = [stage, *self._reserve(companions, locks)]
            for member in computed:
                self._make_room(member, on_event)
            folders = {member.key: self._partial(member) for member in computed}
            failed = compute(folders) or {}
            seconds = time.monotonic() - started
            for member in reversed(computed):
                if member.key in failed:
                    remove_whole(folders[member.key])
                    continue
                _write_manifest(folders[member.key], member, seconds / len(computed), device)
                name_whole(folders[member.key], self.folder(member))
            if stage.key in failed:
                raise failed[stage.key]
            on_event(StageFinished(stage.kind, stage.key, seconds, reused=False))
            return self.folder(stage)

    def _make_room(self, stage: Stage, on_event: EventSink) -> None:
        """A folder to compute in, which may hold what an earlier attempt left, and none where the result will lie."""
        folder, partial = self.folder(stage), self._partial(stage)
        if folder.exists():
            on_event(Notice(f"The stage {stage.kind} {stage.key} {_fault(folder)}; it is computed anew."))
            remove_whole(folder)
        if not partial.is_dir():
            remove_whole(partial)
        partial.mkdir(exist_ok=True)
        remove_leftovers(partial)

    def _partial(self, stage: Stage) -> Path:
        return self.root / stage.kind / f"{stage.key}.partial"

    def _lock_file(self, kind: str, key: str) -> Path:
        return self.root / kind / f"{key}.lock"

    def _reserve(self, companions: Sequence[Stage], locks: ExitStack) -> list[Stage]:
        reserved = []
        for stage in companions:
            free = locks.enter_context(exclusive_if_free(self._lock_file(stage.kind, stage.key)))
            if free and not self.present(stage):
                reserved.append(stage)
        return reserved

    def manifest(self, stage: Stage) -> dict[str, Any]:
        return json.loads((self.folder(stage) / MANIFEST).read_text(encoding="utf-8"))

    def seconds(self, stage: Stage) -> float:
        """What the result took when it was computed, its share where several were; NaN if it is not there."""
        return (_read_manifest(self.folder(stage)) or {}).get("seconds", math.nan)

    def table(self) -> pd.DataFrame:
        """All stages: kind, key, state (finished, partial), bytes, seconds, created, device.

        A stage of which a file is renamed or removed while it is looked at may be left out.
        """
        rows = []
        for folder in sorted(self.root.glob("*/*/")):
            if folder.name.endswith(REMOVED):
                continue
            with suppress(FileNotFoundError):
                rows.append(_row(folder))
        return pd.DataFrame(rows, columns=["kind", "key", "state", "bytes", "seconds", "created", "device"])

    def remove(self, kind: str, key: str) -> None:
        """Delete one stage, finished or partial, unless a run is computing it."""
        with exclusive_if_free(self._lock_file(kind, key)) as free:
            if free:
                for name in (key, f"{key}.partial"):
                    remove_whole(self.root / kind / name)

    def remove_leftovers(self) -> None:
        """Remove what processes that were killed left beside the stages: folders half deleted, and lock files."""
        for folder in self.root.glob(f"*/*{REMOVED}"):
            shutil.rmtree(folder, ignore_errors=True)
        for path in self.root.glob("*/*.lock"):
            with exclusive_if_free(path):
                pass


def _read_manifest(folder: Path) -> dict[str, Any] | None:
    """None where there is none that can be read."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    valid = isinstance(manifest, dict) and manifest.get("key") == folder.name and is_record(manifest.get("files", {}))
    return manifest if valid else None


def _incomplete(folder: Path) -> str | None:
    """What is wrong with the folder of a result, judging by names and sizes; None if nothing is."""
    if not folder.exists():
        return "was removed"
    manifest = _read_manifest(folder)
    if manifest is None:
        return f"is incomplete ({MANIFEST} is missing or damaged)"
    if "files" not in manifest:  # as releases before 0.2 wrote them: the size of all files is all they tell
        whole = _size(folder) - (folder / MANIFEST).stat().st_size >= manifest.get("bytes", 1)
        return None if whole else "is incomplete (a file is missing or too short)"
    missing = missing_file(folder, manifest["files"])
    return f"is incomplete ({missing} is missing or too short)" if missing else None


def _fault(folder: Path) -> str | None:
    """As :func:`_incomplete`, by the files' content too."""
    if (fault := _incomplete(folder)) is not None:
        return fault
    manifest = _read_manifest(folder) or {}
    changed = changed_file(folder, manifest.get("files", {}))
    return f"has changed since it was computed ({changed})" if changed else None


def _row(folder: Path) -> dict[str, Any]:
    finished = _incomplete(folder) is None
    manifest = (_read_manifest(folder) or {}) if finished else {}
    return {
        "kind": folder.parent.name,
        "key": folder.name.removesuffix(".partial"),
        "state": "finished" if finished else "partial",
        "bytes": _size(folder),
        "seconds": manifest.get("seconds"),
        "created": manifest.get("created"),
        "device": manifest.get("device"),
    }


def _write_manifest(folder: Path, stage: Stage, seconds: float, device: str) -> None:
    manifest = {
        "kind": stage.kind,
        "key": stage.key,
        "version": STAGE_VERSIONS[stage.kind],
        "inputs": stage.inputs,
        "created": time.time(),
        "seconds": seconds,
        "bytes": _size(folder),
        "files": record(folder),
        "device": device,
        "libraries": library_versions(),
    }
    write_text_whole(folder / MANIFEST, json.dumps(manifest, indent=2))


@cache
def library_versions() -> Mapping[str, str]:
    """Versions of what can change a number, for manifests and exports."""
    versions = {"python": platform.python_version()}
    for package in ("torch", "torchvision", "open_clip_torch", "timm", "numpy", "pandas", "umap-learn", "openTSNE"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
