"""A run's own folder: everything a reader needs, in formats that any tool opens.

:mod:`ballad.stages.file_names` says what each file holds.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ballad.analysis.evaluation import Report
from ballad.analysis.predictions import Predictions
from ballad.errors import RunError
from ballad.events import EpochEvaluated
from ballad.home import run_dir
from ballad.schedules import ZERO_SHOT, Model
from ballad.shot_groups import GROUPS
from ballad.stages import file_names
from ballad.stages.plan import Plan
from ballad.whole_files import remove_leftovers, write_text_whole, write_whole


class RunFolder:
    """Writes and reads the folder of one run; every file is whole, or is not there and RunError says so."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    @classmethod
    def of(cls, home: Path, run_id: str) -> "RunFolder":
        """The folder of a finished run. Raises RunError if there is none."""
        path = run_dir(home, run_id)
        if not (path / file_names.RESULT).exists():
            raise RunError(f"There is no finished run '{run_id}' in {home}; `python -m ballad list` shows the runs.")
        return cls(path)

    def write_plan(self, plan: Plan) -> None:
        """The settings for readers, and the whole plan to find the stages again; the first files of a run."""
        remove_leftovers(self.path)
        self._write_text(file_names.SETTINGS, plan.experiment.to_yaml())
        self._write_text(file_names.PLAN, plan.to_json())

    def plan(self) -> Plan:
        """Raises SettingsError if the settings are of another release."""
        return Plan.read(self._file(file_names.PLAN))

    def settings_as_written(self) -> dict[str, Any]:
        """The experiment as the release that ran it knew it, which may differ from what this one knows."""
        return self._read_json(file_names.PLAN)["experiment"]

    def result(self) -> dict[str, Any]:
        return self._read_json(file_names.RESULT)

    def summary(self, model: str, split: str) -> dict[str, Any]:
        return self._read_json(file_names.summary(model, split))

    def predictions(self, model: str, split: str) -> Predictions:
        return Predictions.load(self.path / file_names.predictions(model, split))

    def classes(self, model: str, split: str) -> pd.DataFrame:
        """``per_class`` of :class:`ballad.analysis.evaluation.Report`."""
        path = self._file(file_names.classes(model, split))
        # A class may be called "nan" or "null".
        return pd.read_csv(path, dtype={"class_name": str}, keep_default_na=False, na_values="")

    def confusion(self, model: str, split: str) -> pd.DataFrame:
        """``confusion`` of :class:`ballad.analysis.evaluation.Report`."""
        return pd.read_parquet(self._file(file_names.confusion(model, split)))

    def class_names(self, model: Model = ZERO_SHOT) -> list[str]:
        return self.classes(model, "test")["class_name"].tolist()

    def write_result(self, result: Mapping[str, Any]) -> None:
        self._write_text(file_names.RESULT, json.dumps(result, indent=2))

    def write_history(self, history: Sequence[EpochEvaluated]) -> None:
        rows = [
            {
                "phase": event.phase,
                "epoch": event.epoch,
                "loss": event.loss,
                "learning_rate": event.learning_rate,
                **{group: event.accuracy.get(group) for group in GROUPS},
            }
            for event in history
        ]
        columns = ["phase", "epoch", "loss", "learning_rate", *GROUPS]
        table = pd.DataFrame(rows, columns=columns).drop_duplicates(["phase", "epoch"], keep="last")
        write_whole(self.path / file_names.METRICS, partial(table.to_parquet, index=False))

    def write_report(self, model: str, split: str, predictions: Predictions, report: Report) -> None:
        (self.path / model).mkdir(exist_ok=True)
        predictions.save(self.path / file_names.predictions(model, split))
        write_classes, write_confusion = report.per_class.to_csv, report.confusion.to_parquet
        write_whole(self.path / file_names.classes(model, split), partial(write_classes, index=False))
        write_whole(self.path / file_names.confusion(model, split), partial(write_confusion, index=False))
        summary = {**report.summary, "groups": json.loads(report.groups.to_json(orient="records"))}
        self._write_text(file_names.summary(model, split), json.dumps(summary, indent=2))

    def copy_weights(self, files: Mapping[str, Path], *, keep_towers: bool) -> None:
        """Link the trained weights by name; towers, which can be gigabytes, only on request."""
        for name, source in files.items():
            if name != "towers" or keep_towers:
                write_whole(self.path / file_names.weights(name), partial(_link_or_copy, source))

    def _file(self, name: str) -> Path:
        path = self.path / name
        if not path.exists():
            raise RunError(f"The run {self.path.name} lacks the file {path}; run the experiment again.")
        return path

    def _read_json(self, name: str) -> dict[str, Any]:
        return json.loads(self._file(name).read_text(encoding="utf-8"))

    def _write_text(self, name: str, text: str) -> None:
        write_text_whole(self.path / name, text)


def _link_or_copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
