import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from sslterm.engine.linear import LinearProbe, fit_linear, objective


@pytest.fixture(scope="module")
def digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    images, labels = load_digits(return_X_y=True)
    x, y = torch.from_numpy(images).float(), torch.from_numpy(labels).long()
    return x[:1000], y[:1000], x[1000:1400], y[1000:1400]


@pytest.fixture(scope="module")
def probe(digits) -> LinearProbe:
    return fit_linear(*digits, classes=10)


@pytest.mark.parametrize("decay", [1e-1, 1e-2, 1e-3])
def test_the_minimum_is_that_of_scikit_learn(digits, decay):
    train, labels, valid, valid_labels = digits
    ours = fit_linear(*digits, classes=10, weight_decays=[decay])
    x = (train - ours.mean) / ours.std
    theirs = LogisticRegression(C=1 / (len(x) * decay), tol=1e-6, max_iter=2000).fit(x.numpy(), labels.numpy())
    weight, bias = torch.from_numpy(theirs.coef_).float(), torch.from_numpy(theirs.intercept_).float()
    best = objective(x, labels, weight, bias, decay).item()
    assert objective(x, labels, ours.weight, ours.bias, decay).item() == pytest.approx(best, rel=1e-3)
    expected = torch.from_numpy(theirs.predict_proba(((valid - ours.mean) / ours.std).numpy()))
    torch.testing.assert_close(ours.probabilities(valid), expected, atol=0.02, rtol=0)
    assert ours.valid_top1 == pytest.approx((expected.argmax(1) == valid_labels).double().mean().item(), abs=0.005)


def test_the_best_on_valid_is_chosen_and_says_so(digits, probe):
    *_, valid, labels = digits
    top1 = (probe.probabilities(valid).argmax(dim=1) == labels).double().mean().item()
    assert probe.valid_top1 == top1 == max(top1 for _, top1 in probe.tried)
    assert probe.valid_top1 > 0.9
    assert probe.weight_decay == next(decay for decay, top1 in probe.tried if top1 == probe.valid_top1)
    assert [decay for decay, _ in probe.tried] == sorted((decay for decay, _ in probe.tried), reverse=True)


def test_probabilities_are_a_distribution_over_classes(digits, probe):
    torch.testing.assert_close(probe.probabilities(digits[2]).sum(dim=1), torch.ones(400))


def test_of_equals_the_stronger_decay_is_chosen():
    x = torch.tensor([[-1.0], [1.0]])
    assert fit_linear(x, torch.tensor([0, 1]), x, torch.tensor([0, 1]), 2, [1e-4, 1e-1, 1e-2]).weight_decay == 1e-1


def test_the_same_features_give_the_same_probe(digits, probe):
    again = fit_linear(*digits, classes=10)
    assert torch.equal(again.weight, probe.weight)
    assert torch.equal(again.bias, probe.bias)


def test_units_of_features_do_not_matter(digits):
    train, labels, valid, valid_labels = digits
    scale = torch.logspace(-4, 4, 64)
    one = fit_linear(train, labels, valid, valid_labels, 10, [1e-2])
    other = fit_linear(train * scale + scale, labels, valid * scale + scale, valid_labels, 10, [1e-2])
    torch.testing.assert_close(one.probabilities(valid), other.probabilities(valid * scale + scale), atol=5e-3, rtol=0)


def test_features_that_never_vary_are_harmless():
    x = torch.tensor([[-1.0, 5.0, 0.0], [1.0, 5.0, 0.0]])
    probe = fit_linear(x, torch.tensor([0, 1]), x, torch.tensor([0, 1]), 2, [1e-2])
    assert probe.std[1:].tolist() == [1.0, 1.0]
    assert probe.probabilities(x + torch.tensor([0.0, 1e-3, 1e-3])).argmax(dim=1).tolist() == [0, 1]


def test_images_without_a_label_are_left_out(digits):
    train, labels, valid, valid_labels = digits
    half, quarter = torch.arange(1000) % 2 > 0, torch.arange(400) % 4 > 0
    hidden = fit_linear(train, labels.where(half, -1), valid, valid_labels.where(quarter, -1), 10, [1e-2])
    alone = fit_linear(train[half], labels[half], valid[quarter], valid_labels[quarter], 10, [1e-2])
    assert torch.equal(hidden.weight, alone.weight)
    assert hidden.valid_top1 == alone.valid_top1


@torch.no_grad()
def test_it_learns_where_gradients_are_off(digits, probe):
    assert fit_linear(*digits, classes=10, weight_decays=[1e-2]).valid_top1 > 0.9
    assert not probe.weight.requires_grad
