"""``evaluate`` and ``predict``: what a finished run has learned."""

import argparse
from pathlib import Path

from ballad.cli.tables import print_accuracies, print_table
from ballad.errors import DataError
from ballad.schedules import model_title


def add_commands(commands: argparse._SubParsersAction) -> None:
    evaluate = commands.add_parser("evaluate", help="print the accuracies of a finished run")
    evaluate.add_argument("run", metavar="RUN", help="a run's id")
    evaluate.add_argument("--split", choices=("val", "test"), default="test")
    evaluate.set_defaults(command=_evaluate)

    predict = commands.add_parser("predict", help="classify pictures with a finished run")
    predict.add_argument("run", metavar="RUN", help="a run's id")
    predict.add_argument("images", metavar="IMAGE", nargs="+", type=Path)
    predict.add_argument("--top", type=int, default=3, help="classes to show (default: 3)")
    predict.add_argument("--device", default="auto")
    predict.set_defaults(command=_predict)


def _evaluate(options: argparse.Namespace) -> None:
    from ballad.home import default_home
    from ballad.stages.run_folder import RunFolder

    folder = RunFolder.of(default_home(), options.run)
    result = folder.result()
    accuracies = {
        model: by_split[options.split] for model, by_split in result["accuracies"].items() if options.split in by_split
    }
    print_accuracies(f"run {options.run}, {result['dataset']}, {options.split} split", accuracies)
    rows = []
    for model in accuracies:
        summary = folder.summary(model, options.split)
        names = ("top5", "macro_f1", "balanced_error", "ece")
        rows.append([model_title(model), *(f"{summary[name]:.1f}" for name in names), summary["images"]])
    print_table("", ["", "top-5", "macro F1", "balanced error", "calibration error", "images"], rows, numbers=5)


def _predict(options: argparse.Namespace) -> None:
    from ballad.home import default_home
    from ballad.stages.prediction import Predictor

    for path in options.images:
        if path.is_dir():
            raise DataError(f"{path} is a folder; give the pictures in it, such as {path}/*.jpg.")
    predictor = Predictor(default_home(), options.run, device=options.device)
    for path in options.images:
        answers = predictor.predict(path, top=options.top)
        rows = [
            [model_title(model), *(f"{name} {100 * probability:.1f} %" for name, probability in ranked)]
            for model, ranked in answers.items()
        ]
        print_table(str(path), ["", *(f"{rank + 1}." for rank in range(len(rows[0]) - 1))], rows)
