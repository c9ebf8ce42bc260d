import sys
from pathlib import Path

import pytest

from ballad.discovery import defined_in


def test_modules_of_a_package_are_found_in_order_and_each_value_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "beasts"
    package.mkdir()
    (package / "__init__.py").write_text("NOT_IN_A_MODULE = 'no beast'\n")
    (package / "zebra.py").write_text("from beasts.ant import ANT\nZEBRA = 'zebra'\nLEGS = 4\n")
    (package / "ant.py").write_text("ANT = 'ant'\nSAME = ANT\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = [value for value in defined_in("beasts", str) if value in ("ant", "zebra", "no beast")]
    assert found == ["ant", "zebra"]
    for name in [name for name in sys.modules if name.partition(".")[0] == "beasts"]:
        monkeypatch.delitem(sys.modules, name)
