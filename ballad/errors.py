"""The errors a user can cause.

Each carries one plain sentence that names the file, field or value at fault and says what to do.
The shell prints that sentence, the dashboard shows it, the store keeps it: none shows a traceback.
"""


class BalladError(Exception):
    """Something the user can put right; ``str(error)`` is the sentence to show."""


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
