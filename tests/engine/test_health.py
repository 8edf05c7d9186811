import math

import pytest
import torch
from torch import Tensor

from sslterm.engine.health import alignment, effective_rank, health, std, uniformity


def gaussian(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_collapsed_features_show():
    z, h = torch.ones(64, 1) * gaussian(1, 32), torch.ones(64, 1) * gaussian(1, 16)
    assert health(z, z, h) == pytest.approx(
        {
            "health/std": 0.0,
            "health/std_healthy": 32**-0.5,
            "health/rank": 1.0,
            "health/alignment": 0.0,
            "health/uniformity": 0.0,
        },
        abs=1e-5,
    )


def test_rounding_is_no_rank():
    assert effective_rank(1 + 1e-7 * gaussian(64, 16)) == pytest.approx(1.0)
    assert effective_rank(torch.zeros(64, 16)) == pytest.approx(1.0)


def test_std_of_a_uniform_sphere_is_one_over_the_root_of_d():
    assert std(gaussian(4000, 64)) == pytest.approx(64**-0.5, rel=0.02)


def test_effective_rank_counts_the_directions_used():
    axes = torch.cat([torch.eye(8), -torch.eye(8)])  # centred, all singular values equal
    assert effective_rank(axes) == pytest.approx(8.0)
    assert effective_rank(5 + axes @ gaussian(8, 1)) == pytest.approx(1.0)
    weights = torch.tensor([3.0, 1.0])
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert effective_rank(torch.cat([torch.eye(2), -torch.eye(2)]) * weights) == pytest.approx(math.exp(entropy))


def test_uniformity_of_points_we_can_count():
    square = torch.tensor([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0], [0.0, -1.0]])  # 4 sides of 2, 2 diagonals of 4, squared
    assert uniformity(square) == pytest.approx(math.log((4 * math.exp(-4) + 2 * math.exp(-8)) / 6))


def test_uniformity_of_a_uniform_sphere_is_the_papers_integral():
    # On S^2 the squared distance of two uniform points is uniform on 0..4: the mean of exp(-2 s) is (1 - exp(-8)) / 8.
    assert uniformity(gaussian(3000, 3)) == pytest.approx(math.log((1 - math.exp(-8)) / 8), abs=0.02)


def test_alignment_is_the_squared_distance_of_normalised_views():
    z = gaussian(50, 8)
    assert alignment(z, 3 * z) == pytest.approx(0.0, abs=1e-10)
    assert alignment(z, -z) == pytest.approx(4.0)
    assert alignment(torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 5.0]])) == pytest.approx(2.0)


def test_features_may_be_bf16_and_need_no_detaching():
    z = gaussian(50, 8).requires_grad_()
    exact, rough = health(z, z.flip(1), z), health(z.bfloat16(), z.flip(1).bfloat16(), z.bfloat16())
    assert rough == pytest.approx(exact, rel=0.02)
    assert all(type(value) is float for value in exact.values())


def test_a_network_gone_nan_gives_nan_and_no_error():
    broken = torch.full((8, 4), math.nan)
    found = health(broken, broken, broken)
    assert all(math.isnan(found[f"health/{name}"]) for name in ("std", "rank", "alignment", "uniformity"))
