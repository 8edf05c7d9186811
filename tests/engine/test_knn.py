import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from sslterm.engine.knn import knn_probabilities, knn_top1


def test_three_neighbours_vote_with_the_weights_of_the_paper():
    angles = torch.tensor([0.0, 0.3, 1.0, 3.0])
    bank = torch.stack([angles.cos(), angles.sin()], dim=1)
    labels = torch.tensor([0, 1, 1, 2])
    weights = [math.exp(math.cos(angle) / 0.5) for angle in (0.0, 0.3, 1.0)]
    expected = torch.tensor([[weights[0], weights[1] + weights[2], 0.0]]) / sum(weights)
    found = knn_probabilities(bank, labels, torch.tensor([[1.0, 0.0]]), classes=3, k=3, temperature=0.5)
    torch.testing.assert_close(found, expected)


@pytest.fixture(scope="module")
def digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    images, labels = load_digits(return_X_y=True)
    x, y = torch.from_numpy(images).float(), torch.from_numpy(labels).long()
    return x[:1300], y[:1300], x[1300:], y[1300:]


def test_digits_are_classified_as_scikit_learn_does(digits):
    bank, labels, queries, _ = digits
    theirs = KNeighborsClassifier(20, metric="cosine", weights=lambda distance: np.exp((1 - distance) / 0.1))
    expected = theirs.fit(bank.numpy(), labels.numpy()).predict_proba(queries.numpy())
    found = knn_probabilities(bank, labels, queries, classes=10, k=20)
    torch.testing.assert_close(found.double(), torch.from_numpy(expected), atol=2e-3, rtol=0)


def test_digits_are_told_apart(digits):
    assert knn_top1(*digits, classes=10) > 0.9


def test_chunks_and_the_length_of_features_do_not_matter(digits):
    bank, labels, queries, _ = digits
    whole = knn_probabilities(bank, labels, queries, classes=10)
    parts = knn_probabilities(bank * 7, labels, queries * 0.01, classes=10, chunk=17)
    torch.testing.assert_close(whole, parts, atol=1e-4, rtol=0)
    torch.testing.assert_close(whole.sum(dim=1), torch.ones(len(queries)))


def test_images_without_a_label_neither_vote_nor_count(digits):
    bank, labels, queries, truth = digits
    known = torch.arange(len(labels)) % 3 > 0
    hidden, asked = labels.where(known, -1), truth.where(torch.arange(len(truth)) < 100, -1)
    fewer = knn_probabilities(bank[known], labels[known], queries, classes=10)
    assert torch.equal(knn_probabilities(bank, hidden, queries, classes=10), fewer)
    alone = knn_top1(bank[known], labels[known], queries[:100], truth[:100], classes=10)
    assert knn_top1(bank, hidden, queries, asked, classes=10) == alone


def test_a_bank_smaller_than_k_votes_as_a_whole():
    found = knn_probabilities(torch.eye(2), torch.tensor([1, 0]), torch.eye(2), classes=2, k=200, temperature=1.0)
    share = math.e / (math.e + 1)
    torch.testing.assert_close(found, torch.tensor([[1 - share, share], [share, 1 - share]]))


def test_a_very_small_temperature_is_the_nearest_neighbour():
    angles = torch.linspace(0, 3, 20)
    bank, labels = torch.stack([angles.cos(), angles.sin()], dim=1), torch.arange(20)
    found = knn_probabilities(bank, labels, -bank, classes=20, temperature=1e-6)
    assert found.isfinite().all()
    assert torch.equal(found.argmax(dim=1), (-bank @ bank.T).argmax(dim=1))
