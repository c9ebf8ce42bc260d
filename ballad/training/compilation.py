"""The image tower through ``torch.compile``: minutes before the first step, then at best about twice as fast."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch._dynamo.exc import TorchDynamoException

from ballad.errors import RunError

Encoder = Callable[[Tensor], Tensor]


def compiled(encode: Encoder) -> Encoder:
    """``encode``, compiled at its first call, which raises RunError where that cannot be done."""
    fast = torch.compile(encode)

    def encode_compiled(inputs: Tensor) -> Tensor:
        try:
            return fast(inputs)
        except TorchDynamoException as error:
            reason = str(error).strip().splitlines()[0].rstrip(".")
            raise RunError(f"The image tower cannot be compiled: {reason}. Set runtime.compile to false.") from None

    return encode_compiled
