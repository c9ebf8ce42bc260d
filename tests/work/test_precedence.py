import os
import sys
import threading
from collections.abc import Callable

import pytest

from ballad.work.precedence import NICENESS, give_way

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux only")


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def in_a_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)


def test_a_thread_gives_way_with_those_that_it_starts_afterwards_and_no_others():
    found, before = {}, niceness()
    may_end = threading.Event()

    def measure_at_the_end() -> None:
        may_end.wait(10)
        found["started before"] = niceness()

    def serve() -> None:
        earlier = threading.Thread(target=measure_at_the_end)
        earlier.start()
        give_way()
        found["itself"] = niceness()
        in_a_thread(lambda: found.update({"started after": niceness()}))
        may_end.set()
        earlier.join(10)

    in_a_thread(serve)
    given_way = min(before + NICENESS, 19)
    assert found == {"started before": before, "itself": given_way, "started after": given_way}
    assert niceness() == before
