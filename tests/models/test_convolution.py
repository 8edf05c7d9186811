"""Convolutions as products of matrices are convolutions."""

import pytest
import torch
from torch import Tensor, nn

from sslterm.models import convolution
from sslterm.models.convolution import Convolution

KINDS = {
    "3x3": {"kernel_size": 3, "padding": 1},
    "3x3, stride 2": {"kernel_size": 3, "stride": 2, "padding": 1},
    "1x1": {"kernel_size": 1},
    "1x1, stride 2": {"kernel_size": 1, "stride": 2},
    "3x3, nothing around": {"kernel_size": 3},
    "with a bias": {"kernel_size": 3, "padding": 1, "bias": True},
}


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """As if this CPU had AMX and every layer were wide: the shapes of what is convolved as products."""
    seen: list[tuple[int, ...]] = []
    really = convolution.convolved

    def watched(maps: Tensor, *rest: object) -> Tensor:
        seen.append(tuple(maps.shape))
        return really(maps, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(convolution, "has_amx", lambda: True)
    monkeypatch.setattr(convolution, "WIDE", 1)
    monkeypatch.setattr(convolution, "convolved", watched)
    return seen


def pair(**kind: int | bool) -> tuple[nn.Conv2d, Convolution]:
    torch.manual_seed(0)
    said = {"bias": False, **kind}
    theirs, ours = nn.Conv2d(16, 24, **said), Convolution(16, 24, **said)  # type: ignore[arg-type]
    ours.load_state_dict(theirs.state_dict())
    return (
        theirs.to(memory_format=torch.channels_last),  # type: ignore[call-overload]
        ours.to(memory_format=torch.channels_last),  # type: ignore[call-overload]
    )


def learned(layer: nn.Conv2d, maps: Tensor, bf16: bool = True) -> list[Tensor]:
    """What comes out, and every gradient."""
    maps = maps.clone().requires_grad_()
    layer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        made = layer(maps)
    (made.float() * torch.linspace(-1, 1, made.numel()).view_as(made)).sum().backward()
    weights = [weight.grad for weight in layer.parameters()]
    return [one.detach() for one in (made, maps.grad, *weights) if one is not None]


@pytest.mark.parametrize("kind", KINDS)
def test_products_give_what_the_convolution_gives_forward_and_back(kind: str, products: list[tuple[int, ...]]) -> None:
    theirs, ours = pair(**KINDS[kind])
    maps = torch.randn(6, 16, 4, 4)
    exact, rounded, mine = learned(theirs, maps, bf16=False), learned(theirs, maps), learned(ours, maps)
    assert products, "nothing was computed as products"
    for true, here, there in zip(exact, mine, rounded, strict=True):
        assert here.shape == true.shape
        assert here.dtype == there.dtype
        # Both are off by what bf16 rounds away; ours by no more than oneDNN's.
        assert (here - true).norm() <= 1.2 * (there - true).norm() + 1e-3 * true.norm()


def test_what_comes_out_lies_as_channels_last(products: list[tuple[int, ...]]) -> None:
    _, ours = pair(kernel_size=3, padding=1)
    made = learned(ours, torch.randn(2, 16, 4, 4))[0]
    assert made.is_contiguous(memory_format=torch.channels_last)


def test_large_maps_fp32_and_other_cpus_take_the_convolution(
    products: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = pair(kernel_size=3, padding=1)
    large, small = torch.randn(2, 16, 8, 8), torch.randn(2, 16, 4, 4)
    for mine, other in zip(learned(ours, large), learned(theirs, large), strict=True):
        assert torch.equal(mine, other)
    for mine, other in zip(learned(ours, small, bf16=False), learned(theirs, small, bf16=False), strict=True):
        assert torch.equal(mine, other)
    monkeypatch.setattr(convolution, "has_amx", lambda: False)
    for mine, other in zip(learned(ours, small), learned(theirs, small), strict=True):
        assert torch.equal(mine, other)
    assert not products


def test_a_frozen_layer_makes_no_gradient_of_its_own(products: list[tuple[int, ...]]) -> None:
    _, ours = pair(kernel_size=3, padding=1)
    ours.requires_grad_(False)
    assert len(learned(ours, torch.randn(2, 16, 4, 4))) == 2
