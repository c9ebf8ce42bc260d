"""Stages, runs and the workers that compute them.

``ballad.runs()``, the function, lists all runs: :func:`ballad.runs.api.runs`.
"""

import sys
from types import ModuleType
from typing import Any


class _CallablePackage(ModuleType):
    """``ballad.runs`` is the package and, since users know it so, the function too."""

    def __call__(self, **arguments: Any) -> Any:
        from ballad.runs.api import runs

        return runs(**arguments)


sys.modules[__name__].__class__ = _CallablePackage
