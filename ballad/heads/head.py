"""The protocol of a head.

A head turns image features and class texts into logits. It works on M members at once, such as the points of a sweep:
every tensor of a state has a leading dimension M, so that M small products become one batched product. A head is
functional: what is learned lies in the state, and its object holds the members' options only.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ballad.settings import Settings

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ballad.spaces import Space

State = dict[str, "Tensor"]
"""Tensors ``[M, …]`` by name. What a head needs to answer, beyond the class texts, lies here and is kept on disk."""

FLOAT_BYTES = 4

ADJUSTMENT = "adjustment"
"""The entry ``τ · log π_k [M, 1, K]`` of a state whose logits are adjusted after training (arXiv 2007.07314, Eq. 9)."""


class HeadOptions(Settings):
    """A head's own settings. Forms are built from each field's ``title``, ``description``, bounds and default.

    In ``json_schema_extra``, a number may give the ``step`` of its entry, and a choice the ``titles`` of its values.
    """


@dataclass(frozen=True)
class Context:
    """What images are compared with: class texts ``[K, d]`` of unit norm, and s = 1/τ of Eq. 1.

    For a head that reads features before the projection, the texts are taken back to that space.
    """

    texts: "Tensor"
    logit_scale: float


@dataclass(frozen=True)
class TrainingData:
    """What a head may know of the training set before its first step.

    class_counts : images of each class, int64 ``[K]``, on the CPU.
    epochs : of the training ahead.
    chunks : features ``[B, d]`` and labels ``[B]`` of all training images, on the device, in their plain view or as the
        mean direction of their stored views (``averages_views``); for heads that say ``reads_training_features``.
    """

    class_counts: "Tensor"
    epochs: int
    chunks: Callable[[], Iterator[tuple["Tensor", "Tensor"]]] | None = None


class Head(ABC):
    """M heads of one method.

    Parameters
    ----------
    options : of each member, of the type :attr:`Options`.
    seeds : of each member, for what it starts from.
    """

    name: ClassVar[str]
    """As in settings; also the name of the model that Phase B yields."""
    title: ClassVar[str]
    paper: ClassVar[str] = ""
    """Where it was published, such as ``arXiv 2111.14745``."""
    formula: ClassVar[str]
    """What it computes, in one line."""
    help: ClassVar[str]
    """What it is for, in a sentence or two."""
    Options: ClassVar[type[HeadOptions]] = HeadOptions
    alike: ClassVar[tuple[str, ...]] = ()
    """Options that members must share to be trained together, since shapes or operations follow from them."""
    learns: ClassVar[bool] = True
    """Whether it is trained by gradient; otherwise it keeps the state that it starts from."""
    head_only: ClassVar[bool] = False
    """Whether the published system also trains its backbone, so that this is its head only."""
    reads: "ClassVar[Space]" = "joint"
    """The space of the image features that it reads and of its class texts."""
    reads_training_features: ClassVar[bool] = False
    """Whether its start is made from the stored training features, as a class mean is."""
    averages_views: ClassVar[bool] = False
    """Whether the training features that it is given are means over the stored views of each image."""
    fixed: ClassVar[tuple[str, ...]] = ()
    """Entries of the state that gradients never change."""
    chooses_sampler: ClassVar[bool] = False
    """Whether the method decides how images are drawn, whatever the settings say; see :meth:`sampler`."""
    optimizer: ClassVar[Literal["sgd", "adamw"]] = "sgd"
    """What trains it: SGD with the settings' momentum, or AdamW; both with the settings' weight decay."""
    learning_rate: ClassVar[float] = 0.2
    """The peak of the cosine schedule that choosing the method sets."""
    grid: ClassVar[Mapping[str, tuple[float, ...]]] = {}
    """What a search on validation tries: values of options or of ``learning_rate``; at most five combinations."""

    def __init__(self, options: Sequence[Any], seeds: Sequence[int]) -> None:
        self.options, self.seeds = list(options), list(seeds)
        self._of_members: dict[tuple[str, torch.device], Tensor] = {}

    @classmethod
    def shown_title(cls) -> str:
        """The title, marked where the published system also trains its backbone."""
        return f"{cls.title} (head only)" if cls.head_only else cls.title

    @property
    def members(self) -> int:
        """M."""
        return len(self.options)

    @abstractmethod
    def start(self, context: Context, data: TrainingData) -> State:
        """The state before the first step, on any device."""

    @abstractmethod
    def logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        """Image features ``[B, d]`` (shared by the members) or ``[M, B, d]``, not normalised, to ``[M, B, K]``."""

    def loss(self, state: State, features: "Tensor", targets: "Tensor", context: Context, progress: float) -> "Tensor":
        """Loss of each member ``[M]``, by default the mean cross-entropy of :meth:`training_logits`.

        targets : ``[B]`` or ``[M, B]``. progress : share of the training that is done, from 0 to just below 1.
        """
        from ballad.heads.losses import cross_entropy

        return cross_entropy(self.training_logits(state, features, context), targets)

    def training_logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        """What the loss sees while training, ``[M, B, K]``: the logits, or those shifted by priors."""
        return self.logits(state, features, context)

    @classmethod
    def trains_with_towers(cls) -> bool:
        """Whether joint training can train it along: by gradient, with a loss that the logits alone give."""
        return cls.learns and not cls.reads_training_features and cls.loss is Head.loss

    def is_trained(self, entry: str, progress: float) -> bool:
        """Whether gradients change this entry of the state in the epoch that begins at ``progress``."""
        return self.learns and entry not in self.fixed

    @classmethod
    def sampler(cls, options: Any, chosen: str, progress: float) -> str:
        """The sampler of the epoch that begins at ``progress``, where the settings have ``chosen``."""
        return chosen

    def scores(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        """What classes are ranked by, ``[M, B, K]``: the logits, less τ · log π where an adjustment was asked for."""
        logits = self.logits(state, features, context)
        return logits - state[ADJUSTMENT] if ADJUSTMENT in state else logits

    def embed(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        """Image features as the head compares them, ``[M, B, d]``; for maps and similar pictures."""
        return features.expand(self.members, *features.shape[-2:])

    def class_points(self, state: State, context: Context) -> "Tensor":
        """Where the classes lie in the space of :meth:`embed`, ``[M, K, d]``."""
        return context.texts.expand(self.members, *context.texts.shape)

    @classmethod
    def bytes_of_member(cls, options: Any, *, batch_size: int, dim: int, classes: int) -> int:
        """Memory that one more member takes while it trains; by default that of a linear classifier.

        Weights with gradient and momentum, and of a batch three tensors ``[B, d]`` and four ``[B, K]``.
        """
        return FLOAT_BYTES * (3 * classes * (dim + 1) + 3 * batch_size * dim + 4 * batch_size * classes)

    def of_members(self, option: str, like: "Tensor") -> "Tensor":
        """A number among the options for each member, float32 ``[M, 1, 1]`` on the device of ``like``."""
        import torch

        key = option, like.device
        if key not in self._of_members:
            numbers = [getattr(options, option) for options in self.options]
            self._of_members[key] = torch.tensor(numbers, dtype=torch.float32, device=like.device)[:, None, None]
        return self._of_members[key]


def member_state(state: State, member: int) -> State:
    """One member's tensors without the leading dimension, ready for safetensors."""
    return {name: tensor[member].detach().cpu().clone() for name, tensor in state.items()}


def state_of_members(states: Sequence[Mapping[str, "Tensor"]], device: "torch.device") -> State:
    """The state of members that :func:`member_state` gave."""
    import torch

    return {name: torch.stack([state[name] for state in states]).to(device) for name in states[0]}
