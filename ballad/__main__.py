import sys

from ballad.cli import main
from ballad.work.host_memory import keep_freed_memory


def start() -> None:
    """The console script ``ballad``, and ``python -m ballad``."""
    keep_freed_memory()
    sys.exit(main())


if __name__ == "__main__":
    start()
