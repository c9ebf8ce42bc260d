import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ballad.errors import Cancelled
from ballad.events import CancelToken
from ballad.locks import exclusive

HOLD = """
import sys, pathlib
from ballad.locks import exclusive
with exclusive(pathlib.Path(sys.argv[1]), lambda: None):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def other_process(tmp_path):
    """A process that holds the lock until it is sent a line."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.stdin.close()


def test_who_comes_second_waits_for_another_process(other_process, tmp_path):
    waited = []

    def release_at_the_second_look():
        waited.append(1)
        if len(waited) == 2:
            other_process.stdin.write("\n")
            other_process.stdin.flush()

    with exclusive(tmp_path / "lock", release_at_the_second_look):
        assert len(waited) >= 2


def test_who_waits_can_give_up(other_process, tmp_path):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled), exclusive(tmp_path / "lock", cancel.check):
        pytest.fail("the lock is held elsewhere")


def test_threads_of_one_process_take_turns(tmp_path):
    inside, seen = [], []

    def work():
        for _ in range(20):
            with exclusive(tmp_path / "lock", lambda: None):
                inside.append(1)
                seen.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert seen == [1] * 80


def test_a_lock_is_released_by_an_error(tmp_path):
    with pytest.raises(KeyError), exclusive(tmp_path / "lock", lambda: None):
        raise KeyError
    with exclusive(tmp_path / "lock", lambda: pytest.fail("nobody holds it")):
        pass
