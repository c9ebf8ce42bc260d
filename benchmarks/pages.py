"""Server seconds of each page in a home with 1,000 runs.

    python benchmarks/pages.py [--quick] [--json]

Fills a temporary store as :mod:`benchmarks.store_queries` does, then runs every page of the menu as the server does
for a reader: once to warm the imports, then 5 times (--quick: 2). A figure is the median in seconds.
"""

import os
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from streamlit.testing.v1 import AppTest

from benchmarks.store_queries import fill
from benchmarks.timing import argument_parser, report, seconds_of

PROJECT = Path(__file__).resolve().parent.parent
PAGES = tuple(sorted(path.stem for path in (PROJECT / "pages").glob("*.py")))


def main() -> None:
    arguments = argument_parser(__doc__).parse_args()
    rounds = 2 if arguments.quick else 5
    with tempfile.TemporaryDirectory() as home:
        os.environ["BALLAD_HOME"] = home
        fill(Path(home))
        report({name: seconds_of_page(name, rounds) for name in PAGES}, as_json=arguments.json)


def seconds_of_page(name: str, rounds: int) -> float:
    """Median seconds of one run of the page."""
    app = AppTest.from_file(str(PROJECT / "dashboard" / "shell.py"), default_timeout=60).run()
    app.switch_page(str(PROJECT / "pages" / f"{name}.py")).run()
    if app.exception:
        raise SystemExit(f"The page {name} failed: {app.exception[0].message}")
    return statistics.median(seconds_of(app.run) for _ in range(rounds))


if __name__ == "__main__":
    main()
