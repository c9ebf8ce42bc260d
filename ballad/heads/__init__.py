"""What Phase B trains; heads are discovered automatically.

To add a head, write a file that defines a :class:`ballad.heads.head.Head`. No file loads torch before it computes,
since settings, queue and pages read the registry.
"""

from inspect import isabstract

from ballad.discovery import defined_in
from ballad.heads.head import Head

_FOUND = [found for found in defined_in(__name__, type) if issubclass(found, Head) and not isabstract(found)]

HEADS: dict[str, type[Head]] = {
    head.name: head for head in sorted(_FOUND, key=lambda head: (head.name != "ballad", head.title.casefold()))
}
"""By the name that ``phase_b.method`` takes; BALLAD first, the others by title."""
