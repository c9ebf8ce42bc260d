from itertools import combinations
from pathlib import Path
from tomllib import loads

import numpy as np
import pandas as pd
import pytest
from plotly.colors import sample_colorscale

from ballad.shot_groups import GROUPS
from dashboard.figures.group_confusion import group_confusion_heatmap
from dashboard.theme import BACKGROUNDS, GROUP_COLOURS, GROUP_SYMBOLS, plotly_template

# Machado, Oliveira, Fernandes 2009, severity 1, on linear RGB.
VISION = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
CONFIG = loads((Path(__file__).parents[2] / "dashboard" / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def linear_rgb(colour: str) -> np.ndarray:
    channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    dark, light = sorted(float(linear_rgb(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def oklab(rgb: np.ndarray) -> np.ndarray:
    to_lms = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    to_lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.array(to_lab) @ np.cbrt(np.array(to_lms) @ np.clip(rgb, 0, 1))


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("colour", GROUP_COLOURS.values())
def test_colours_are_readable_on_both_backgrounds(mode, colour):
    assert contrast(colour, BACKGROUNDS[mode]) >= 3


@pytest.mark.parametrize("vision", VISION)
def test_group_colours_can_be_told_apart(vision):
    for one, other in combinations(GROUP_COLOURS.values(), 2):
        seen = [oklab(np.array(VISION[vision]) @ linear_rgb(colour)) for colour in (one, other)]
        assert 100 * np.linalg.norm(seen[0] - seen[1]) > 8, f"{one} and {other}"


def test_every_group_has_its_own_colour_and_symbol():
    assert len(set(GROUP_COLOURS.values())) == len(set(GROUP_SYMBOLS.values())) == len(GROUPS)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_streamlit_uses_the_same_colours(mode):
    assert CONFIG["theme"][mode]["chartCategoricalColors"] == [GROUP_COLOURS[group] for group in GROUPS]
    assert CONFIG["theme"][mode]["backgroundColor"] == BACKGROUNDS[mode]
    assert contrast(CONFIG["theme"][mode]["textColor"], BACKGROUNDS[mode]) > 7


def test_server_is_local_and_protected():
    server = CONFIG["server"]
    assert server["address"] == "127.0.0.1"
    assert server["enableXsrfProtection"] and server["enableCORS"]
    assert not CONFIG["browser"]["gatherUsageStats"]


def test_template_scales_run_from_background_to_ink():
    for mode in ("light", "dark"):
        scale = plotly_template(mode).layout.colorscale.sequential
        assert scale[0][1] == BACKGROUNDS[mode]
        assert contrast(scale[-1][1], BACKGROUNDS[mode]) > 7


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("difference", [False, True])
def test_the_number_in_every_cell_of_the_shot_groups_can_be_read(mode, difference):
    ends = ["right", "many", "medium", "few"]
    shares = pd.DataFrame([[100, 0, 0, 0], [50, 25, 20, 5], [0, 10, 20, 70]], ["many", "medium", "few"], ends, float)
    figure = group_confusion_heatmap(
        shares, pd.Series(10, shares.index), shares[::-1].to_numpy() if difference else None
    )
    (cells,), template = figure.data, plotly_template(mode)
    scale = template.layout.colorscale["diverging" if difference else "sequential"]
    places = (cells.z - cells.zmin) / (cells.zmax - cells.zmin)
    ink = template.data.heatmap[0].textfont.color
    for colour in sample_colorscale([list(stop) for stop in scale], places.ravel()):
        channels = [round(float(part)) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
        assert contrast("#{:02x}{:02x}{:02x}".format(*channels), ink) >= 4.5
