"""Memory settings of a process that trains on the CPU."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
LARGEST_INT = 2**31 - 1


def keep_freed_memory() -> None:
    """Let glibc keep freed memory for the next tensor instead of handing it back to the system.

    By default every activation of some megabytes is mapped and unmapped anew, and page faults take half the time of a
    forward pass. One arena for all threads, since those of other threads cannot hold large blocks. Call it before
    threads start. Does nothing where the C library is not glibc.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_ARENA_MAX, 1)
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, LARGEST_INT)
