"""The errors a user can cause.

Each carries one plain sentence that names the file, field or value at fault and says what to do.
The shell prints that sentence, the dashboard shows it, the store keeps it: none shows a traceback.
"""

import re

LONGEST_SENTENCE = 1_000
"""Characters of the longest sentence: it quotes what a user gave, which may be longer than anybody reads."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class BalladError(Exception):
    """Something the user can put right; ``str(error)`` is the sentence to show.

    It stands on one line: line ends and control characters, in a name for instance, are shown as escapes.
    """

    def __str__(self) -> str:
        sentence = super().__str__().encode("utf-8", "backslashreplace").decode()
        sentence = _CONTROL.sub(lambda character: ascii(character[0])[1:-1], sentence)
        if len(sentence) <= LONGEST_SENTENCE:
            return sentence
        # The advice stands at the end.
        half = LONGEST_SENTENCE // 2
        return f"{sentence[: half - 3]} […] {sentence[-(half - 2) :]}"


class SettingsError(BalladError):
    """A setting has a value that is not allowed, or two settings do not go together."""


class DataError(BalladError):
    """A dataset is missing, incomplete or malformed."""


class BackboneError(BalladError):
    """A backbone's weights or configuration are missing or do not fit."""


class RunError(BalladError):
    """A run, stage or device is not in the state the request needs."""


class AccessError(BalladError):
    """Somebody who may look asked for a change."""


class Cancelled(Exception):
    """The user asked for a stop; raised by :meth:`ballad.events.CancelToken.check`."""
