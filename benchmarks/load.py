"""What readers wait, what the server keeps, and what training loses, with 1,000 stored runs and 10 readers at once.

    python benchmarks/load.py [--quick] [--json] [--look 2] [--executor thread]

Fills a temporary home as :mod:`benchmarks.store_queries` does, starts the server on this machine and a training job
in it, and lets each reader visit one page after another for 3 rounds of 30 seconds (--quick: a round of 12 with 4
readers and 200 runs), with 10 seconds (--look) to look at each, as a person who reads a table or a chart takes.
Readers speak Streamlit's protocol over websockets and ask for live parts again when they are due, as a browser does.
Before each round the job trains for as long without readers.

``median_visit_seconds``, ``worst_visit_seconds`` and the median of each page: from the request to the end of the
script. ``megabytes_before``, ``megabytes_after``: resident memory of the server, before the first and after the last
visit. ``training_slowdown``: steps per second without readers over those with them, the median of the rounds.
``load_average``: of the whole machine at the end, since what else it does is part of the figures.
"""

import asyncio
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

from ballad.analysis.evaluation import evaluate
from ballad.analysis.predictions import Predictions
from ballad.data.catalog import load_dataset
from ballad.experiment import Experiment
from ballad.home import run_dir
from ballad.stages.plan import Plan
from ballad.stages.run_folder import RunFolder
from ballad.store.run_store import RunStore
from ballad.work.executors.registry import EXECUTORS
from benchmarks.served import Server, served
from benchmarks.store_queries import QUICK_RUNS, RUNS, fill
from benchmarks.timing import argument_parser, report

READERS, QUICK_READERS = 10, 4
ROUNDS, ROUND_SECONDS, QUICK_ROUND_SECONDS = 3, 30.0, 12.0
SECONDS_TO_ANSWER = 60.0
COMPARED = 15
ACTIVE = ("queued", "running")


class Reader:
    """One browser tab: it opens a page, waits for it, and keeps its live parts alive while it looks at it."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def __aenter__(self) -> "Reader":
        address = f"ws://{self._server.host}/_stcore/stream"
        self._socket = await connect(address, subprotocols=["streamlit"], max_size=None).__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    async def visit(self, page: str, query: str) -> float:
        """Seconds from the request to the end of the page's script."""
        self._page, self._query = page, query
        self._due: dict[str, tuple[float, float]] = {}
        started = time.perf_counter()
        await self._ask()
        await asyncio.wait_for(self._until_finished(), SECONDS_TO_ANSWER)
        return time.perf_counter() - started

    async def look(self, until: float) -> None:
        """Ask for each live part when it is due, until this moment of ``time.monotonic``."""
        while self._due and min(due for due, _ in self._due.values()) < until:
            fragment, (due, interval) = min(self._due.items(), key=lambda part: part[1])
            await asyncio.sleep(due - time.monotonic())
            await self._ask(fragment)
            await asyncio.wait_for(self._until_finished(), SECONDS_TO_ANSWER)
            if fragment in self._due:
                self._due[fragment] = (time.monotonic() + interval, interval)
        await asyncio.sleep(until - time.monotonic())

    async def _ask(self, fragment: str = "") -> None:
        message = BackMsg()
        state = message.rerun_script
        state.page_name, state.query_string, state.fragment_id = self._page, self._query, fragment
        state.is_auto_rerun = bool(fragment)
        state.context_info.timezone = "UTC"
        await self._socket.send(message.SerializeToString())

    async def _until_finished(self) -> None:
        async for data in self._socket:
            message = ForwardMsg.FromString(data)
            match message.WhichOneof("type"):
                case "auto_rerun":
                    interval = message.auto_rerun.interval
                    self._due[message.auto_rerun.fragment_id] = (time.monotonic() + interval, interval)
                case "script_finished":
                    if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                        return


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--executor", choices=EXECUTORS, default="process", help="where the job trains")
    parser.add_argument("--look", type=float, default=10.0, help="seconds between an answer and the next visit")
    arguments = parser.parse_args()
    runs, readers, rounds, seconds = RUNS, READERS, ROUNDS, ROUND_SECONDS
    if arguments.quick:
        runs, readers, rounds, seconds = QUICK_RUNS, QUICK_READERS, 1, QUICK_ROUND_SECONDS
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        store, run_ids = fill(home, runs)
        write_folders(home, store, run_ids[-COMPARED:])
        with served(home) as server:
            figures = measure(server, store, run_ids, arguments.executor, readers, rounds, seconds, arguments.look)
    report({**figures, "runs_in_store": runs, "load_average": os.getloadavg()[0]}, as_json=arguments.json)


def write_folders(home: Path, store: RunStore, run_ids: Sequence[str]) -> None:
    """What Compare reads of these runs: a model's answers about the demo dataset, three of four right."""
    dataset, random = load_dataset(Experiment().dataset), np.random.default_rng(0)
    for run_id in run_ids:
        plan = Plan(store.get(run_id).experiment, dataset.fingerprint, "backbone", has_validation=True)
        folder = RunFolder(run_dir(home, run_id))
        folder.write_plan(plan)
        accuracies: dict[str, dict] = {model: {} for model in plan.models}
        for model, split in itertools.product(plan.models, (dataset.test, dataset.val)):
            ranked = random.permuted(np.tile(np.arange(dataset.num_classes), (len(split), 1)), axis=1)[:, :5]
            ranked[:, 0] = np.where(random.random(len(split)) < 0.75, split.labels, ranked[:, 0])
            chances = np.tile(np.float32([0.6, 0.1, 0.1, 0.1, 0.1]), (len(split), 1))
            predictions = Predictions(split.labels, ranked, chances)
            answers = evaluate(predictions, dataset.class_table())
            folder.write_report(model, split.name, predictions, answers)
            accuracies[model][split.name] = answers.accuracy()
        folder.write_result({"key": plan.experiment.key, "dataset": dataset.title, "accuracies": accuracies})


def measure(
    server: Server,
    store: RunStore,
    run_ids: Sequence[str],
    executor: str,
    readers: int,
    rounds: int,
    seconds: float,
    look: float,
) -> dict[str, object]:
    before = resident_megabytes(server)
    endless = Experiment().with_values({"name": "load", "phase_a.epochs": 10_000})
    job = store.create(endless, executor=executor)
    while steps_done(store, job) == 0:
        if store.get(job).status not in ACTIVE:
            raise SystemExit(f"The training job ended: {store.get(job).error}")
        time.sleep(0.5)
    visits: dict[str, list[float]] = defaultdict(list)
    slowdowns = []
    for _ in range(rounds):
        alone = steps_per_second(store, job, lambda: time.sleep(seconds))
        beside = steps_per_second(
            store, job, lambda: asyncio.run(read(server, run_ids, readers, seconds, look, visits))
        )
        slowdowns.append(alone / beside)
    every = [visit for of_page in visits.values() for visit in of_page]
    return {
        "median_visit_seconds": statistics.median(every),
        "worst_visit_seconds": max(every),
        "visits": len(every),
        **{f"median_{page or 'home'}": statistics.median(of_page) for page, of_page in visits.items()},
        "megabytes_before": before,
        "megabytes_after": resident_megabytes(server),
        "training_slowdown": statistics.median(slowdowns),
    }


def steps_per_second(store: RunStore, job: str, meanwhile: Callable[[], None]) -> float:
    first, started = steps_done(store, job), time.monotonic()
    meanwhile()
    return (steps_done(store, job) - first) / (time.monotonic() - started)


def steps_done(store: RunStore, job: str) -> int:
    rows = store.database.read("SELECT (epoch - 1) * steps + step AS done FROM progress WHERE run_id = ?", job)
    return rows[0]["done"] if rows else 0


async def read(
    server: Server, run_ids: Sequence[str], readers: int, seconds: float, look: float, visits: dict[str, list[float]]
) -> None:
    end = time.monotonic() + seconds
    await asyncio.gather(*(go_through(server, run_ids, number, end, look, visits) for number in range(readers)))


async def go_through(
    server: Server, run_ids: Sequence[str], number: int, end: float, look: float, visits: dict[str, list[float]]
) -> None:
    """The pages in turn, each reader from another one on."""
    pages = [("runs", f"run={run_ids[-1 - number]}"), ("compare", ""), ("", ""), ("runs", ""), ("lambda_sweep", "")]
    async with Reader(server) as reader:
        await asyncio.sleep(look * number / 10)
        for page, query in itertools.islice(itertools.cycle(pages), number, None):
            if time.monotonic() >= end:
                return
            visits[page].append(await reader.visit(page, query))
            await reader.look(time.monotonic() + look)


def resident_megabytes(server: Server) -> float:
    return psutil.Process(server.pid).memory_info().rss / 2**20


if __name__ == "__main__":
    main()
