"""All executors, by the names that runs are queued under."""

from ballad.discovery import defined_in
from ballad.errors import RunError
from ballad.work.executors.protocol import ExecutorKind

EXECUTORS = {kind.name: kind for kind in defined_in("ballad.work.executors", ExecutorKind)}


def check_executor(name: str) -> str:
    """The name, if there is such an executor; RunError if not."""
    if name not in EXECUTORS:
        raise RunError(f"There is no executor '{name}'; the executors are {' and '.join(sorted(EXECUTORS))}.")
    return name
