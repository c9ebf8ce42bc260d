"""The shot groups of long-tailed recognition: their names, bounds and titles (Liu et al. 2019, arXiv 1904.05160)."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class ShotGroup:
    """Classes with ``at_least`` to ``at_most`` training images; None means no upper bound."""

    name: str
    at_least: int
    at_most: int | None

    @property
    def title(self) -> str:
        return self.name.capitalize()

    @property
    def help(self) -> str:
        """The classes of this group, in words."""
        if self.at_most is None:
            return f"classes with more than {self.at_least - 1} training images"
        if self.at_least == 0:
            return f"classes with fewer than {self.at_most + 1} training images"
        return f"classes with {self.at_least} to {self.at_most} training images"


MANY, MEDIUM, FEW = ShotGroup("many", 101, None), ShotGroup("medium", 20, 100), ShotGroup("few", 0, 19)
SHOT_GROUPS = tuple(group.name for group in (MANY, MEDIUM, FEW))
ALL = "all"
GROUPS = (*SHOT_GROUPS, ALL)
"""What accuracies are given for: each shot group, and all images alike."""
GROUP_HELP = {**{group.name: group.help for group in (MANY, MEDIUM, FEW)}, ALL: "all images"}


def shot_groups(counts: Iterable[int]) -> list[str]:
    """Shot group of each class by its number of training images.

    >>> shot_groups([101, 100, 20, 19])
    ['many', 'medium', 'medium', 'few']
    """
    return [next(group.name for group in (MANY, MEDIUM, FEW) if count >= group.at_least) for count in counts]
