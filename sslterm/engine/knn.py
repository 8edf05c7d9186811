"""The weighted kNN classifier: how good a representation is, without training anything on it.

Wu et al. 2018, "Unsupervised Feature Learning via Non-Parametric Instance Discrimination" (3.4): the k nearest
neighbours by cosine similarity vote with weight exp(similarity / temperature). Numbers as in the MoCo CIFAR demo.
Shapes: M images in the bank, N queries, D encoder features.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

# Similarities held at once where `chunk` does not say: 2**25 floats are 128 MB.
SIMILARITIES = 2**25


@torch.no_grad()
def knn_probabilities(
    bank: Tensor,
    bank_labels: Tensor,
    queries: Tensor,
    classes: int,
    k: int = 200,
    temperature: float = 0.1,  # Wu et al. have the 0.07 of their training; the MoCo demo 0.1
    chunk: int | None = None,
) -> Tensor:
    """Each class's share of the votes: float32 (N, classes), rows sum to 1, on the device of `queries`.

    `bank` (M, D) and `queries` (N, D) are float on one device, of any length: they are normalised here. `bank_labels`
    is int64 (M,); images labelled -1 do not vote. k is at most the number that do. `chunk` queries are seen at a time.
    """
    voters = (bank_labels >= 0).nonzero().squeeze(1)
    bank_labels = bank_labels[voters].to(bank.device)
    bank = F.normalize(bank[voters.to(bank.device)].float(), dim=1)
    assert len(bank), "a bank without labels cannot vote"
    k = min(k, len(bank))
    chunk = chunk or max(1, SIMILARITIES // len(bank))
    probabilities = queries.new_zeros(len(queries), classes, dtype=torch.float32)
    for part, votes in zip(queries.split(chunk), probabilities.split(chunk), strict=True):
        similarity, neighbours = (F.normalize(part.float(), dim=1) @ bank.T).topk(k, dim=1)
        # The softmax is exp(similarity / temperature) over its sum: normalised, and safe at any temperature.
        votes.scatter_add_(1, bank_labels[neighbours], (similarity / temperature).softmax(dim=1))
    return probabilities


def knn_top1(
    bank: Tensor,
    bank_labels: Tensor,
    queries: Tensor,
    labels: Tensor,
    classes: int,
    k: int = 200,
    temperature: float = 0.1,
    chunk: int | None = None,
) -> float:
    """The share of labelled queries (`labels` int64 (N,), -1 = none) whose own class got the most votes, 0..1."""
    labelled = labels >= 0
    queries, labels = queries[labelled], labels[labelled]
    votes = knn_probabilities(bank, bank_labels, queries, classes, k, temperature, chunk)
    return (votes.argmax(dim=1) == labels.to(votes.device)).double().mean().item()
