"""``evaluate`` and ``predict``: what a finished run has learned."""

import argparse
import json
from pathlib import Path

from ballad.cli.tables import add_json, print_accuracies, print_table
from ballad.errors import DataError
from ballad.schedules import model_title

FIGURES = {
    "top5": "top-5",
    "macro_f1": "macro F1",
    "balanced_error": "balanced error",
    "ece": "calibration error",
    "images": "images",
}
"""Of a summary, beside the accuracies, with their headings."""


def add_commands(commands: argparse._SubParsersAction) -> None:
    evaluate = commands.add_parser("evaluate", help="print the accuracies of a finished run")
    evaluate.add_argument("run", metavar="RUN", help="a run's id")
    evaluate.add_argument("--split", choices=("val", "test"), default="test")
    add_json(evaluate, "the accuracies, in percent, and other figures by model")
    evaluate.set_defaults(command=_evaluate)

    predict = commands.add_parser("predict", help="classify pictures with a finished run")
    predict.add_argument("run", metavar="RUN", help="a run's id")
    predict.add_argument("images", metavar="IMAGE", nargs="+", type=Path)
    predict.add_argument("--top", type=int, default=3, help="classes to show (default: 3)")
    predict.add_argument("--device", default="auto")
    add_json(predict, "classes and their probabilities by picture and model")
    predict.set_defaults(command=_predict)


def _evaluate(options: argparse.Namespace) -> None:
    from ballad.home import default_home
    from ballad.stages.run_folder import RunFolder

    folder = RunFolder.of(default_home(), options.run)
    result = folder.result()
    accuracies = {
        model: by_split[options.split] for model, by_split in result["accuracies"].items() if options.split in by_split
    }
    summaries = {model: folder.summary(model, options.split) for model in accuracies}
    figures = {model: {name: summary[name] for name in FIGURES} for model, summary in summaries.items()}
    if options.json:
        print(json.dumps({model: {**accuracies[model], **figures[model]} for model in accuracies}))
        return
    print_accuracies(f"run {options.run}, {result['dataset']}, {options.split} split", accuracies)
    rows = [[model_title(model), *(_shown(value) for value in figures[model].values())] for model in figures]
    print_table("", ["", *FIGURES.values()], rows, numbers=len(FIGURES))


def _shown(value: float | int) -> str:
    return str(value) if isinstance(value, int) else f"{value:.1f}"


def _predict(options: argparse.Namespace) -> None:
    from ballad.home import default_home
    from ballad.stages.prediction import Predictor

    for path in options.images:
        if path.is_dir():
            raise DataError(f"{path} is a folder; give the pictures in it, such as {path}/*.jpg.")
    predictor = Predictor(default_home(), options.run, device=options.device)
    if options.json:
        print(json.dumps({str(path): predictor.predict(path, top=options.top) for path in options.images}))
        return
    for path in options.images:
        answers = predictor.predict(path, top=options.top)
        rows = [
            [model_title(model), *(f"{name} {100 * probability:.1f} %" for name, probability in ranked)]
            for model, ranked in answers.items()
        ]
        print_table(str(path), ["", *(f"{rank + 1}." for rank in range(len(rows[0]) - 1))], rows)
