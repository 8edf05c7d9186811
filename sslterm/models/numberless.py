"""Networks as they would be, before any of them is made: with shapes, and without numbers or the memory for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


@contextmanager
def without_numbers() -> Iterator[None]:
    """What is built here is on torch's meta device, and nothing is drawn for it.

    Drawing there would load torch's compiler, which takes longer than the first steps of a training.
    """
    with torch.device("meta"), _NothingDrawn():
        yield


class _NothingDrawn(TorchFunctionMode):
    """What fills a tensor, or changes its numbers alone, leaves it as it is."""

    LEFT = frozenset({Tensor.normal_, Tensor.uniform_, F.normalize})

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in self.LEFT or getattr(func, "__module__", "") == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return (torch.empty if func is torch.randn else func)(*args, **kwargs)
