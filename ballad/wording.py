"""Numbers, formatted for people."""

MISSING = "–"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """``1 seed``, ``3 seeds``, ``1,000 classes``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def seeds_told(seeds: int, phases_a: int | None) -> str:
    """Which seeds varied: ``3 seeds, one Phase A each``, or ``3 adapter seeds, one Phase A``.

    ``seeds`` are the runs of a setting, ``phases_a`` how many trainings of Phase A they rest on (None: no Phase A): a
    spread over adapters on one Phase A is not a spread over runs.
    """
    if seeds <= 1 or not phases_a:
        return counted(seeds, "seed")
    if phases_a == seeds:
        return f"{seeds:,} seeds, one Phase A each"
    return f"{seeds:,} adapter seeds, {'one Phase A' if phases_a == 1 else f'{phases_a:,} Phases A'}"


def number(value: float | None, digits: int = 1) -> str:
    """``67.2``; a dash for a missing number."""
    return MISSING if _missing(value) else f"{value:.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """A percentage that is already one: ``67.2 %``; a dash for an empty group."""
    return MISSING if _missing(value) else f"{value:.{digits}f} %"


def mean_and_spread(mean: float | None, spread: float | None, digits: int = 1) -> str:
    """``67.2 ± 0.3``, or the mean alone where one seed has no spread."""
    if _missing(mean) or _missing(spread):
        return number(mean, digits)
    return f"{number(mean, digits)} ± {number(spread, digits)}"


def duration(seconds: float | None) -> str:
    """``42 s``, ``3 min 05 s``, ``2 h 07 min``, ``4 d 03 h``."""
    if _missing(seconds):
        return MISSING
    whole = round(max(seconds or 0, 0))
    if whole < 60:
        return f"{whole} s" if whole >= 10 else f"{seconds:.1f} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02d} h"


def size(number_of_bytes: float | None) -> str:
    """``812 MB``, ``3.4 GB``, in powers of 1,000."""
    if _missing(number_of_bytes):
        return MISSING
    amount = float(number_of_bytes or 0)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def _missing(value: float | None) -> bool:
    return value is None or value != value
