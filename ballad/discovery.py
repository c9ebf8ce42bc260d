"""Finds what the modules of a package define of a given kind: to add one, add a module, and nothing else."""

from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

T = TypeVar("T")


def defined_in(package: str, kind: type[T]) -> list[T]:
    """All values of ``kind`` that the modules of ``package`` define, module by module in alphabetical order."""
    folder = import_module(package).__path__
    modules = (import_module(f"{package}.{module.name}") for module in iter_modules(folder))
    found = (value for module in modules for value in vars(module).values() if isinstance(value, kind))
    return list({id(value): value for value in found}.values())
