"""The generator: the paper's figure 1, any side that it can double its way to, and a sentence for the others."""

import pytest
import torch

from sslterm.models.generator import Generator, initialise


def test_for_64_pixels_it_is_figure_1():
    network = Generator(100, 3, 64, 128)
    maps = []
    for layer in network.modules():
        if isinstance(layer, torch.nn.ConvTranspose2d):
            layer.register_forward_hook(lambda _m, _i, output: maps.append(tuple(output.shape[1:])))
    with torch.no_grad():
        network(torch.randn(2, 100))
    assert maps == [(1024, 4, 4), (512, 8, 8), (256, 16, 16), (128, 32, 32), (3, 64, 64)]


@pytest.mark.parametrize("size", [8, 16, 24, 28, 32, 40, 72])
def test_it_draws_images_of_the_side_that_is_asked_for(size):
    assert Generator(5, 1, size, 2)(torch.randn(3, 5)).shape == (3, 1, size, size)


@pytest.mark.parametrize(("size", "near"), [(4, 8), (30, 32), (33, 32), (225, 224)])
def test_a_side_that_it_cannot_make_is_refused(size, near):
    with pytest.raises(ValueError, match=rf"^views.size: .* not {size}; take {near}$"):
        Generator(5, 3, size, 2)


def test_weights_begin_as_the_paper_says():
    torch.manual_seed(0)
    network = Generator(100, 3, 32, 32).apply(initialise)
    weight, norm = network.get_submodule("rest.0").weight, network.get_submodule("first.1").weight
    assert weight.mean().item() == pytest.approx(0, abs=0.001)
    assert weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert norm.mean().item() == pytest.approx(1, abs=0.01)
