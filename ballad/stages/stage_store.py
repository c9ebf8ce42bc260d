"""Content-addressed stages: each result is kept once, under the hash of exactly what it was made from.

stages/<kind>/<key>/            a finished result, with manifest.json
stages/<kind>/<key>.partial/    work in progress, or cut off; a later attempt continues in it
"""

import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from ballad.errors import RunError
from ballad.events import CancelToken, EventSink, StageFinished, StageStarted
from ballad.experiment import settings_hash
from ballad.home import stages_dir
from ballad.locks import exclusive
from ballad.whole_files import remove_leftovers, write_text_whole

STAGE_VERSIONS = {
    "towers": 1,
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
        return (self.folder(stage) / MANIFEST).exists()

    def kept(self, stage: Stage) -> Path:
        """The folder of a finished run's stage; RunError if it was removed."""
        if not self.present(stage):
            raise RunError(f"The run's stage {stage.kind} {stage.key} was removed; run the experiment again.")
        return self.folder(stage)

    def obtain(
        self, stage: Stage, compute: Callable[[Path], None], *, device: str, on_event: EventSink, cancel: CancelToken
    ) -> Path:
        """The folder of the finished result; ``compute`` fills a folder if it is not there yet.

        Whoever asks for a stage that another run is computing waits for it. What ``compute`` left behind when it was
        cut off is there again at its next attempt.
        """

        def compute_one(folders: dict[str, Path]) -> None:
            compute(folders[stage.key])

        return self.obtain_together(stage, [], compute_one, device=device, on_event=on_event, cancel=cancel)

    def obtain_together(
        self,
        stage: Stage,
        companions: Sequence[Stage],
        compute: Callable[[dict[str, Path]], None],
        *,
        device: str,
        on_event: EventSink,
        cancel: CancelToken,
    ) -> Path:
        """As :meth:`obtain`, and in the same go those companions that are missing and that nobody is computing.

        ``compute`` gets the folders to fill by stage key.
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
            folders = {member.key: self._partial(member) for member in computed}
            for folder in folders.values():
                folder.mkdir(exist_ok=True)
                remove_leftovers(folder)
            compute(folders)
            seconds = time.monotonic() - started
            for member in reversed(computed):
                _write_manifest(folders[member.key], member, seconds / len(computed), device)
                os.replace(folders[member.key], self.folder(member))
            on_event(StageFinished(stage.kind, stage.key, seconds, reused=False))
            return self.folder(stage)

    def _partial(self, stage: Stage) -> Path:
        return self.root / stage.kind / f"{stage.key}.partial"

    def _lock_file(self, kind: str, key: str) -> Path:
        return self.root / kind / f"{key}.lock"

    def _reserve(self, companions: Sequence[Stage], locks: ExitStack) -> list[Stage]:
        reserved = []
        for stage in companions:
            lock = FileLock(self._lock_file(stage.kind, stage.key), thread_local=False)
            with suppress(Timeout):
                lock.acquire(timeout=0)
                locks.callback(lock.release)
                if not self.present(stage):
                    reserved.append(stage)
        return reserved

    def manifest(self, stage: Stage) -> dict[str, Any]:
        return json.loads((self.folder(stage) / MANIFEST).read_text(encoding="utf-8"))

    def table(self) -> pd.DataFrame:
        """All stages: kind, key, state (finished, partial), bytes, seconds, created, device.

        A stage of which a file is renamed or removed while it is looked at may be left out.
        """
        rows = []
        for folder in sorted(self.root.glob("*/*/")):
            with suppress(FileNotFoundError):
                rows.append(_row(folder))
        return pd.DataFrame(rows, columns=["kind", "key", "state", "bytes", "seconds", "created", "device"])

    def remove(self, kind: str, key: str) -> None:
        """Delete one stage, finished or partial, unless a run is computing it."""
        lock_file = self._lock_file(kind, key)
        with suppress(Timeout), FileLock(lock_file).acquire(timeout=0):
            for name in (key, f"{key}.partial"):
                shutil.rmtree(self.root / kind / name, ignore_errors=True)
            lock_file.unlink(missing_ok=True)


def _row(folder: Path) -> dict[str, Any]:
    finished = (folder / MANIFEST).exists()
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8")) if finished else {}
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
        "device": device,
        "libraries": library_versions(),
    }
    write_text_whole(folder / MANIFEST, json.dumps(manifest, indent=2))


def library_versions() -> dict[str, str]:
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
