"""How long until the workbench shows its first page, and what it imports for that.

    python benchmarks/startup.py [--quick] [--json]

``seconds_to_first_page``: a new process imports the app and runs the Home page to its end, on an empty home folder.
``heavy_imports``: the heavy libraries it had loaded by then; there should be none. ``seconds_to_server``: from
``streamlit run dashboard/app.py`` to the server's first answer. Medians of 5, with --quick of 2.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.served import PROJECT, served
from benchmarks.timing import argument_parser, report

HEAVY = ("torch", "torchvision", "timm", "open_clip", "umap", "sklearn", "openTSNE", "kaleido")
FIRST_PAGE = f"""
import json, sys
import dashboard.app
from streamlit.testing.v1 import AppTest
page = AppTest.from_file({str(PROJECT / "dashboard" / "shell.py")!r}, default_timeout=60).run()
assert not page.exception, page.exception
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""


def main() -> None:
    arguments = argument_parser(__doc__).parse_args()
    rounds = 2 if arguments.quick else 5
    pages, heavy = zip(*[first_page() for _ in range(rounds)], strict=True)
    report(
        {
            "seconds_to_first_page": statistics.median(pages),
            "heavy_imports": heavy[0],
            "seconds_to_server": statistics.median(seconds_to_server() for _ in range(rounds)),
        },
        as_json=arguments.json,
    )


def first_page() -> tuple[float, list[str]]:
    """Seconds of a process that runs the Home page, and the heavy libraries it loaded."""
    with tempfile.TemporaryDirectory() as home:
        started = time.perf_counter()
        answer = subprocess.run(
            [sys.executable, "-c", FIRST_PAGE],
            cwd=PROJECT,
            env={**os.environ, "BALLAD_HOME": home},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - started, json.loads(answer.stdout.splitlines()[-1])


def seconds_to_server() -> float:
    with tempfile.TemporaryDirectory() as home:
        started = time.perf_counter()
        with served(Path(home)):
            return time.perf_counter() - started


if __name__ == "__main__":
    main()
