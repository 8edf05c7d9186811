"""What a network makes of many images: one pass over part of a data set, in eval mode, without gradients.

Shapes: N images asked for, B in a batch, C channels, S side in pixels, D encoder features, K outputs of a function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from sslterm.data.dataset import Dataset
    from sslterm.data.views import PlainView


def extract(
    encoder: nn.Module,
    dataset: Dataset,
    indices: Tensor,
    view: PlainView,
    device: torch.device,
    *,
    precision: Literal["fp32", "bf16"] = "fp32",
    batch_size: int = 512,
    flip: bool = False,
    scale: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> Tensor:
    """The representation h of the images at `indices` (int64, N): float32 (N, D) on the CPU, rows in their order.

    The other arguments are those of `outputs`.
    """
    return outputs(
        encoder, encoder, dataset, indices, view, device,
        precision=precision, batch_size=batch_size, flip=flip, scale=scale, progress=progress,
    )  # fmt: skip


def outputs(
    function: Callable[[Tensor], Tensor | None],
    network: nn.Module,
    dataset: Dataset,
    indices: Tensor,
    view: PlainView,
    device: torch.device,
    *,
    precision: Literal["fp32", "bf16"] = "fp32",
    batch_size: int = 512,
    flip: bool = False,
    scale: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> Tensor:
    """What `function`, a part or a method of `network`, says of the images at `indices`: float32 (N, K) on the CPU.

    `function` takes float (B, C, S, S) and gives (B, K): `method.classify` for logits, `method.embed` for z. All of
    `network` is in eval mode meanwhile and afterwards as it was. `progress` is told how many images each batch had.
    """
    assert len(indices), "no images to look at"
    rows, done = None, 0
    with evaluating(network), torch.inference_mode():
        for images in dataset.batches(indices.split(batch_size), device):
            inputs = view(images, flip=flip, scale=scale).contiguous(memory_format=torch.channels_last)
            # Around the network alone: the view's own products of matrices stay exact.
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
                output = function(inputs)
            assert output is not None, "this method has no such head"
            if rows is None:
                rows = _normal_empty(len(indices), output.shape[1], device)
            # Stays on the device until the end: a copy per batch would make it wait for us.
            rows[done : done + len(images)] = output
            done += len(images)
            if progress:
                progress(len(images))
    assert rows is not None
    assert done == len(indices)
    return rows.cpu()


def _normal_empty(length: int, width: int, device: torch.device) -> Tensor:
    """Room for the result. A tensor born in inference mode could never take part in a probe's training."""
    with torch.inference_mode(False):
        return torch.empty(length, width, device=device)


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Eval mode for the whole network, then every module back in the mode it had: frozen parts stay in eval.

    What was compiled was compiled for training, and computes as it is written meanwhile.
    """
    modes = [(module, module.training, module._compiled_call_impl) for module in network.modules()]
    network.eval()
    for module, _, _ in modes:
        module._compiled_call_impl = None
    try:
        yield
    finally:
        for module, training, compiled in modes:
            module.training, module._compiled_call_impl = training, compiled
