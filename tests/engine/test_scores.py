import json
import math
import warnings

import pytest
import torch
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
from torch import Tensor
from torch.nn import functional as F

from sslterm.engine.scores import ScoresError, scores

NAMES = ("disc", "ring", "star")


@pytest.fixture
def by_hand() -> dict:
    """Four images: disc right at .8, disc taken for ring at .6, ring right at .9, star taken for disc at .5."""
    probabilities = torch.tensor(
        [[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.05, 0.9, 0.05], [0.5, 0.3, 0.2]], dtype=torch.float64
    )
    return scores(probabilities, torch.tensor([0, 0, 1, 2]), NAMES)


@pytest.fixture(scope="module")
def many() -> tuple[Tensor, Tensor]:
    """400 softmax predictions of 8 classes, better than chance and over-confident; class 7 never occurs."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(7, (400,), generator=generator)
    logits = 2.5 * torch.randn(400, 8, generator=generator) + 2 * F.one_hot(labels, 8)
    logits[:, 7] = -20
    return logits.softmax(dim=1), labels


def test_a_small_case_is_as_computed_by_hand(by_hand):
    assert by_hand["confusion"] == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
    assert by_hand["per_class"] == [
        {"class": "disc", "precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2},
        {"class": "ring", "precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "support": 1},
        {"class": "star", "precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1},
    ]
    metrics = by_hand["metrics"]
    assert metrics["top1"] == 0.5
    assert metrics["precision_macro"] == pytest.approx(1 / 3)
    assert metrics["recall_macro"] == pytest.approx(0.5)
    assert metrics["f1_macro"] == pytest.approx((0.5 + 2 / 3) / 3)
    assert metrics["nll"] == pytest.approx(-(math.log(0.8) + math.log(0.3) + math.log(0.9) + math.log(0.2)) / 4)
    # Each confidence is alone in its bin: |1 - .8|, |0 - .6|, |1 - .9|, |0 - .5|.
    assert metrics["ece"] == pytest.approx((0.2 + 0.6 + 0.1 + 0.5) / 4)


def test_reliability_bins_hold_every_image(by_hand):
    bins = by_hand["reliability"]
    assert len(bins) == 15
    assert [place for place, bin in enumerate(bins) if bin["count"]] == [7, 8, 11, 13]
    assert bins[11] == {"confidence": pytest.approx(0.8), "accuracy": 1.0, "count": 1}
    assert bins[0] == {"confidence": 0.0, "accuracy": 0.0, "count": 0}


def test_bins_are_open_below_and_closed_above():
    probabilities = torch.tensor([[0.6, 0.4], [1.0, 0.0]], dtype=torch.float64)  # 0.6 is 9/15, the end of the ninth bin
    bins = scores(probabilities, torch.tensor([0, 0]), ("a", "b"))["reliability"]
    assert [place for place, bin in enumerate(bins) if bin["count"]] == [8, 14]


def test_precision_recall_and_confusion_are_scikit_learns(many):
    probabilities, labels = many
    found = scores(probabilities, labels, tuple("abcdefgh"))
    predicted = probabilities.argmax(dim=1)
    per_class = precision_recall_fscore_support(labels, predicted, labels=range(8), zero_division=0)
    for name, expected in zip(("precision", "recall", "f1", "support"), per_class, strict=True):
        assert [row[name] for row in found["per_class"]] == pytest.approx(expected.tolist())
    macro = precision_recall_fscore_support(labels, predicted, average="macro", zero_division=0)
    names = ("precision_macro", "recall_macro", "f1_macro")
    assert [found["metrics"][name] for name in names] == pytest.approx(macro[:3])
    assert found["confusion"] == confusion_matrix(labels, predicted, labels=range(8)).tolist()


def test_all_of_it_is_what_torchmetrics_says(many):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torchmetrics = pytest.importorskip("torchmetrics.functional.classification")
        probabilities, labels = many
        ece = torchmetrics.multiclass_calibration_error(probabilities, labels, num_classes=8, n_bins=15)
        top5 = torchmetrics.multiclass_accuracy(probabilities, labels, 8, top_k=5, average="micro")
        f1 = torchmetrics.multiclass_f1_score(probabilities, labels, 8, average="macro")
    metrics = scores(probabilities, labels, tuple("abcdefgh"))["metrics"]
    assert metrics["ece"] == pytest.approx(ece.item(), abs=1e-6)
    assert metrics["top5"] == pytest.approx(top5.item())
    assert metrics["f1_macro"] == pytest.approx(f1.item())


def test_nll_of_a_softmax_is_the_cross_entropy(many):
    logits = torch.tensor([[60.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    labels = torch.tensor([1, 1])
    found = scores(logits.softmax(dim=1), labels, NAMES)["metrics"]["nll"]
    assert found == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-5)


def test_top5_is_for_more_than_five_classes_and_a_class_without_votes_is_no_guess():
    votes = torch.tensor([[0.5, 0.5, 0.0, 0.0, 0.0, 0.0], [0.3, 0.2, 0.2, 0.2, 0.1, 0.0]])
    metrics = scores(votes, torch.tensor([2, 4]), tuple("abcdef"))["metrics"]
    assert metrics["top1"] == 0.0
    assert metrics["top5"] == 0.5
    five = votes[:, :5]
    assert "top5" not in scores(five, torch.tensor([2, 4]), tuple("abcde"))["metrics"]


def test_top1_is_the_share_on_the_diagonal_also_where_classes_are_equal():
    found = scores(torch.full((6, 3), 1 / 3), torch.tensor([0, 0, 1, 2, 2, 2]), NAMES)
    assert found["metrics"]["top1"] == found["confusion"][0][0] / 6 == pytest.approx(2 / 6)


def test_everything_is_plain_and_finite_even_where_votes_are_zero():
    found = scores(torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([2]), NAMES)
    again = json.loads(json.dumps(found, allow_nan=False))
    assert again == found
    assert found["metrics"]["nll"] == pytest.approx(87.3, abs=0.1)
    assert all(type(row["support"]) is int for row in found["per_class"])


@pytest.mark.parametrize(
    ("probabilities", "sentence"),
    [(torch.full((2, 3), math.nan), "evaluate an earlier checkpoint"), (torch.zeros(0, 3), "no labelled images")],
)
def test_what_cannot_be_scored_is_said_in_a_sentence(probabilities, sentence):
    with pytest.raises(ScoresError, match=sentence):
        scores(probabilities, torch.zeros(len(probabilities), dtype=torch.long), NAMES)
