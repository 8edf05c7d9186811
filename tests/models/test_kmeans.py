"""Spherical k-means: Lloyd's steps on the sphere, no cluster left empty; and what two clusterings say of each other."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import normalized_mutual_info_score

from sslterm.models import kmeans
from sslterm.models.kmeans import assigned, mutual_information, spherical_kmeans, split_into_empty


def rows(count: int = 300, width: int = 8, seed: int = 0) -> torch.Tensor:
    return F.normalize(torch.randn(count, width, generator=torch.Generator().manual_seed(seed)), dim=1)


def by_hand(data: np.ndarray, first: np.ndarray, iterations: int) -> tuple[np.ndarray, np.ndarray]:
    """The authors' loop: nearest centroid, mean, length one; nearest once more at the end."""
    centroids = first.copy()
    for _ in range(iterations):
        nearest = (data @ centroids.T).argmax(1)
        for k in range(len(centroids)):
            assert (nearest == k).any()
            mean = data[nearest == k].mean(0)
            centroids[k] = mean / np.linalg.norm(mean)
    return centroids, (data @ centroids.T).argmax(1)


def test_it_is_lloyds_loop_on_the_sphere():
    data = rows()
    torch.manual_seed(3)
    begin = data[torch.randperm(len(data))[:6]]
    torch.manual_seed(3)
    centroids, clusters = spherical_kmeans(data, 6, 10)
    expected, nearest = by_hand(data.double().numpy(), begin.double().numpy(), 10)
    np.testing.assert_allclose(centroids.numpy(), expected, atol=1e-5)
    assert (clusters.numpy() == nearest).all()


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch):
    torch.manual_seed(0)
    whole = spherical_kmeans(rows(), 6, 5)
    monkeypatch.setattr(kmeans, "CHUNK", 7)
    torch.manual_seed(0)
    in_chunks = spherical_kmeans(rows(), 6, 5)
    assert torch.equal(whole[1], in_chunks[1])
    torch.testing.assert_close(whole[0], in_chunks[0])


def test_the_same_seed_finds_the_same():
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(spherical_kmeans(rows(), 20, 5)[1])
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_what_is_apart_comes_apart():
    torch.manual_seed(0)
    truth = torch.arange(3).repeat(100)
    data = F.normalize(torch.eye(8)[truth] + 0.1 * rows(300), dim=1)
    best = max(mutual_information(spherical_kmeans(data, 3, 10)[1], truth) for _ in range(5))
    assert best == 1


def test_an_empty_cluster_takes_rows_of_a_full_one():
    torch.manual_seed(0)
    data = torch.cat([F.normalize(torch.eye(8)[:1] + 0.2 * rows(90), dim=1), -torch.eye(8)[:1].repeat(10, 1)])
    centroids = torch.stack([data[0], data[-1], data[-1], data[-1]])  # ties go to the first, so two have no rows
    counts = assigned(data, centroids).bincount(minlength=4)
    assert counts.tolist() == [90, 10, 0, 0]
    split = split_into_empty(centroids, counts)
    torch.testing.assert_close(split.norm(dim=1), torch.ones(4))
    assert torch.equal(split[:2], centroids[:2])
    assert (assigned(data, split).bincount(minlength=4) > 0).sum() > 2


def test_as_many_clusters_as_rows_are_all_used():
    torch.manual_seed(0)
    assert len(spherical_kmeans(rows(40), 40, 3)[1].unique()) == 40


@pytest.mark.parametrize("seed", range(4))
def test_mutual_information_is_scikit_learns(seed):
    generator = torch.Generator().manual_seed(seed)
    one, noise = torch.randint(7, (2, 500), generator=generator)
    other = torch.where(torch.rand(500, generator=generator) < 0.5, one, noise)
    expected = normalized_mutual_info_score(one.numpy(), other.numpy())
    assert mutual_information(one, other).item() == pytest.approx(expected, abs=1e-9)


def test_names_of_clusters_do_not_matter():
    one = torch.randint(5, (100,))
    assert mutual_information(one, (one + 2) % 5).item() == pytest.approx(1)
    assert mutual_information(one, torch.zeros_like(one)).item() == 0
    assert mutual_information(torch.zeros_like(one), torch.zeros_like(one)).item() == 1
