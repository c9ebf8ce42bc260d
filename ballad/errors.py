"""The errors a user can cause.

Each carries one plain sentence that names the file, field or value at fault and says what to do.
The shell prints that sentence, the dashboard shows it, the store keeps it: none shows a traceback.
"""

import re

LONGEST_SENTENCE = 1_000
"""Characters of the longest sentence: it quotes what a user gave, which may be longer than anybody reads."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class BalladError(Exception):
    """Something the user can put right; ``str(error)`` is the sentence to show.

    What a terminal would not show as text, such as a name's control characters, stands there as escapes.
    """

    def __str__(self) -> str:
        sentence = super().__str__().encode("utf-8", "backslashreplace").decode()
        sentence = _CONTROL.sub(lambda character: f"\\x{ord(character[0]):02x}", sentence)
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
