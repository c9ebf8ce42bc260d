"""A decoding process: ``python -m ballad.data.decode_worker``, started by :mod:`ballad.data.prefetch` alone.

Standard input brings the epoch's views and the numbers of the batches to decode; standard output takes, for each,
one byte that says what follows and the pixels. It ends with the first image that cannot be read, and with its parent.
"""

import pickle
import sys

from ballad.data.epoch_views import EpochViews
from ballad.data.prefetch import DECODED, FAILED
from ballad.errors import DataError


def main() -> None:
    views: EpochViews
    views, numbers = pickle.load(sys.stdin.buffer)
    answers = sys.stdout.buffer
    try:
        for number in numbers:
            pixels = views.empty(number)
            views.write(number, range(len(pixels)), pixels)
            answers.write(DECODED)
            answers.write(pixels.data.cast("B"))
            answers.flush()
    except DataError as error:
        answers.write(FAILED + str(error).encode())
        answers.flush()
    except (BrokenPipeError, KeyboardInterrupt):
        sys.stderr.close()  # the parent stopped; nobody waits for the rest


if __name__ == "__main__":
    main()
