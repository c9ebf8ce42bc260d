"""Settings that nobody would write: each is an experiment that keeps its meaning wherever it goes, or a sentence."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from ballad.assignments import assignments
from ballad.errors import SettingsError
from ballad.experiment import Experiment, setting_names
from dashboard.forms.draft import request_of, values_of

NAMES = [*setting_names(), "phase_b.options.tau", "phase_b.options", "phase_b", "", ".", "phase_a.", "speed", "name.x"]
SECTIONS = sorted({name.partition(".")[0] for name in setting_names()})
WORDS = [
    *(
        "nan",
        "inf",
        "-.inf",
        "1e400",
        "1e-5",
        "0",
        "-1",
        "-0.0",
        "0.5",
        "1_000",
        "0x10",
        "1:30",
        "null",
        "~",
        "true",
        "no",
    ),
    *("[]", "{}", "[1, 2]", "{a: b}", "[[[[", "&a [*a]", "!!python/name:os.system", "2024-01-01", "- -", "'", "\\", ""),
    *("ballad", "linear_probe", "class_balanced", "decoupled", "joint", "best", "photo of a {}", "{}{}", "λ", "\u202e"),
    *("\x00", "\ud800", "a\nb", "=SUM(A1)", "../..", "full", "demo", "RN50", "9" * 400),
]
WORD = st.one_of(st.sampled_from(WORDS), st.text(max_size=12), st.integers().map(str), st.floats().map(str))
LEAF = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORD, st.binary(max_size=4), st.dates())
ANYTHING = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=3), max_leaves=6
)
DEFAULTS = Experiment().flat()


def _nearly_right(name: str) -> st.SearchStrategy[tuple[str, Any]]:
    """Values of the default's type, which reach the checks behind the types."""
    match DEFAULTS.get(name):
        case bool():
            values: st.SearchStrategy[Any] = st.booleans()
        case int():
            values = st.integers(-1, 300)
        case float():
            values = st.floats(-0.1, 2.0) | st.sampled_from([0.0, -0.0, 5e-324, 1e-300, 1e300, float("inf")])
        case default:
            values = WORD | st.just(default) | st.sampled_from(list(DEFAULTS.values()))
    return st.tuples(st.just(name), values)


PAIR = st.sampled_from(sorted(DEFAULTS)).flatmap(_nearly_right)


def fuzz_settings(folder: Path, examples: int) -> int:
    """Try a number of examples; returns how many were experiments. AssertionError for one that is neither."""
    accepted = 0
    set_hypothesis_home_dir(folder)  # it notes there what it sees in our code

    def tried(how: str, given_settings: Any) -> None:
        nonlocal accepted
        try:
            experiment = _make(how, given_settings)
        except SettingsError as error:
            _assert_sentence(str(error))
            return
        accepted += 1
        _assert_keeps_its_meaning(experiment, folder / "settings.yaml")

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.one_of(
            st.tuples(
                st.just("tree"),
                st.dictionaries(st.sampled_from([*SECTIONS, "name", "seed", "x"]), ANYTHING, max_size=3),
            ),
            st.tuples(st.just("values"), st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=3)),
            st.tuples(st.just("values"), st.lists(PAIR, max_size=3).map(dict)),
            st.tuples(
                st.just("words"), st.lists(st.tuples(st.sampled_from(NAMES), WORD).map("=".join) | WORD, max_size=3)
            ),
        )
    )
    def one(example: tuple[str, Any]) -> None:
        tried(*example)

    one()
    return accepted


def _make(how: str, given_settings: Any) -> Experiment:
    match how:
        case "tree":
            return Experiment.parse(given_settings)
        case "values":
            return Experiment().with_values(given_settings)
    return Experiment().with_values(assignments(given_settings))


def _assert_sentence(text: str) -> None:
    assert text.strip() and len(text) <= 1_000, text
    assert "Traceback" not in text and "\n" not in text, text
    text.encode("utf-8")


def _assert_keeps_its_meaning(experiment: Experiment, file: Path) -> None:
    """As YAML and JSON, in a file, and through the form."""
    for text, parse in ((experiment.to_yaml(), yaml.safe_load), (experiment.to_json(), json.loads)):
        again = Experiment.parse(parse(text))
        assert again == experiment and again.key == experiment.key, text
        file.write_text(text, encoding="utf-8")
        assert Experiment.read(file) == experiment, text
    assert experiment.with_values({}) == experiment
    assert _through_the_form(values_of(experiment)).key == experiment.key


def _through_the_form(values: Mapping[str, Any]) -> Experiment:
    return request_of(values).experiment
