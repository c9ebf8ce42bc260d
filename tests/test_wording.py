import pytest

from ballad.wording import counted, duration, mean_and_spread, number, percent, seeds_told, size


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (counted(1, "seed"), "1 seed"),
        (counted(1200, "class", "classes"), "1,200 classes"),
        (percent(67.24), "67.2 %"),
        (percent(None), "–"),
        (percent(float("nan")), "–"),
        (percent(0.0), "0.0 %"),
        (number(67.25, 0), "67"),
        (number(float("nan")), "–"),
        (mean_and_spread(None, 0.3), "–"),
        (mean_and_spread(67.2, 0.34), "67.2 ± 0.3"),
        (mean_and_spread(67.2, float("nan")), "67.2"),
        (duration(4.21), "4.2 s"),
        (duration(59.7), "1 min 00 s"),
        (duration(185), "3 min 05 s"),
        (duration(2 * 3600 + 420), "2 h 07 min"),
        (duration(4 * 86400 + 3 * 3600), "4 d 03 h"),
        (size(812e6), "812 MB"),
        (size(3.44e9), "3.4 GB"),
    ],
)
def test_numbers_read_well(shown, expected):
    assert shown == expected


def test_seeds_are_told_by_what_they_vary():
    assert seeds_told(1, 1) == "1 seed" == seeds_told(1, None)
    assert seeds_told(3, 3) == "3 seeds, one Phase A each"
    assert seeds_told(3, 1) == "3 adapter seeds, one Phase A"
    assert seeds_told(6, 2) == "6 adapter seeds, 2 Phases A"
    assert seeds_told(3, None) == "3 seeds"
