"""NaN and infinity, put wherever a number enters: refused by name, and never a result."""

import shutil
from collections.abc import Callable, Set
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ballad import api
from ballad.assignments import assignments, grid
from ballad.data.catalog import load_dataset
from ballad.errors import BackboneError, BalladError, DataError, RunError, SettingsError
from ballad.experiment import Experiment
from ballad.sections import DatasetSettings
from ballad.store import queries
from ballad.store.run_store import RunStore

VALUES = (float("nan"), float("inf"), float("-inf"))
WORDS = (".nan", ".inf", "-.inf", "1e400", "-1e999", ".NaN")


def _refuses(kinds: type[BalladError] | tuple[type[BalladError], ...], work: Callable[[], object], what: str) -> None:
    try:
        work()
    except kinds as error:
        assert str(error).strip() and "Traceback" not in str(error), error
        return
    raise AssertionError(f"{what} is accepted")


def inject_into_settings(folder: Path) -> int:
    """Every setting that is a number, as a value, an assignment, a grid, and in a file. Returns how many places."""
    places = 0
    numbers = [name for name, value in Experiment().flat().items() if type(value) in (int, float)]
    for name in [*numbers, "phase_a.weight_decay", "dataset.imbalance_ratio", "backbone.temperature"]:
        for value in VALUES:
            _refuses(SettingsError, lambda: Experiment().with_values({name: value}), f"{name}={value}")  # noqa: B023
            places += 1
        for word in WORDS:
            words = [f"{name}={word}"]
            _refuses(SettingsError, lambda: Experiment().with_values(assignments(words)), words[0])  # noqa: B023
            swept = lambda: [Experiment().with_values({name: each}) for each in grid(words)[name]]  # noqa: B023, E731
            _refuses(SettingsError, swept, f"a grid of {words[0]}")
            section, _, field = name.rpartition(".")
            text = f"{section}:\n  {field}: {word}\n" if section else f"{field}: {word}\n"
            (folder / "settings.yaml").write_text(text)
            _refuses(SettingsError, lambda: Experiment.read(folder / "settings.yaml"), f"a file with {words[0]}")
            places += 3
    return places


def inject_into_weights(folder: Path, experiment: Experiment, every: int = 1) -> int:
    """Every tensor of the backbone, NaN or infinite in turn, the logit scale among them. Returns how many."""
    names = [name for name, each in _state(Path(experiment.backbone.name)).items() if each.is_floating_point()]
    for place, name in enumerate(names[::every]):
        changed = _with_weights(folder, experiment, {name: lambda each: _first(each, VALUES[place % 3])})  # noqa: B023
        home = folder / "home"
        _refuses(BackboneError, lambda: api.run(changed, home=home), f"{VALUES[place % 3]} in {name}")  # noqa: B023
        _assert_no_result(home)
    return len(names[::every])


def inject_into_features(folder: Path, experiment: Experiment) -> int:
    """Finite weights whose features, class texts or logits are not. Returns how many kinds."""
    kinds: dict[str, dict[str, Callable[[Tensor], Tensor]]] = {
        "features": {"visual.attnpool.c_proj.weight": lambda each: each * 1e38},
        "class texts": {"text_projection": lambda each: each * 1e38, "ln_final.weight": lambda each: each * 1e38},
        "logits": {"logit_scale": lambda each: torch.full_like(each, 88.0)},
        "logit scale": {"logit_scale": lambda each: torch.full_like(each, 1e4)},
    }
    for kind, changes in kinds.items():
        home = folder / f"home of {kind}"
        changed = _with_weights(folder, experiment, changes)
        _refuses((RunError, BackboneError), lambda: api.run(changed, home=home), kind)  # noqa: B023
        _assert_no_result(home)
    return len(kinds)


def inject_into_training(folder: Path, experiment: Experiment) -> int:
    """Finite settings at which training leaves the finite numbers, in each phase. Returns how many."""
    diverging = {
        "phase_a.learning_rate": 1e30,
        "phase_b.learning_rate": 1e38,
        "phase_b.adjustment": 1e39,
        "backbone.temperature": 1e-6,
        "optimizer.weight_decay": 1e30,
    }
    for name, value in diverging.items():
        home = folder / name
        changed = experiment.with_values({name: value})
        _refuses(RunError, lambda: api.run(changed, home=home), f"{name}={value}")  # noqa: B023
        _assert_no_result(home, but={"zero_shot", "phase_a"} if name.startswith("phase_b") else {"zero_shot"})
    return len(diverging)


def inject_into_tables(folder: Path, images: Path) -> int:
    """A dataset's CSV with what is no label among integers. Returns how many tables."""
    shutil.copytree(images / "train", folder / "train")
    pictures = sorted(path.relative_to(folder) for path in (folder / "train").rglob("*.png"))
    words = ("nan", "NaN", "inf", "-inf", "1e400", "1.5", "", "-1")
    for word in words:
        labels = [str(place % 2) for place in range(len(pictures) - 1)]
        rows = "\n".join(f"{path},{label}" for path, label in zip(pictures, [*labels, word], strict=True))
        (folder / "table.csv").write_text(f"path,label\n{rows}\n")
        settings = DatasetSettings(source=str(folder / "table.csv"), validation_per_class=1, test_per_class=1)
        try:
            dataset = load_dataset(settings)
        except DataError as error:
            assert "table.csv" in str(error) or word in str(error), error
        else:  # a word like another: a class of its own
            assert word and sorted(dataset.class_names) == sorted(["0", "1", word]), (word, dataset.class_names)
    return len(words)


def _state(backbone: Path) -> dict[str, Tensor]:
    return load_file(backbone / "open_clip_model.safetensors")


def _first(tensor: Tensor, value: float) -> Tensor:
    changed = tensor.clone()
    changed.view(-1)[0] = value
    return changed


def _with_weights(folder: Path, experiment: Experiment, changes: dict[str, Callable[[Tensor], Tensor]]) -> Experiment:
    """The experiment on a copy of its backbone with these tensors changed."""
    source, copy = Path(experiment.backbone.name), folder / "backbone"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(source, copy)
    state = _state(source)
    for name, change in changes.items():
        state[name] = change(state[name])
    save_file(state, copy / "open_clip_model.safetensors")
    return experiment.with_values({"backbone.name": str(copy)})


def _assert_no_result(home: Path, but: Set[str] = frozenset()) -> None:
    """Every run failed, and no model has an accuracy but those that were evaluated before."""
    store = RunStore(home)
    runs = queries.runs(store)
    assert set(runs["status"]) == {"failed"}, runs[["status", "error"]]
    assert not runs["error"].str.contains("unexpected", case=False).any(), runs["error"].tolist()
    assert set(queries.results(store, runs["id"].tolist())["model"]) <= but
