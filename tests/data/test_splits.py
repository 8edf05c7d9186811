"""Splits: exact counts, every class in proportion, the same for the same seed."""

import pytest
import torch

from sslterm.data.catalog import DataError
from sslterm.data.splits import apportioned, split
from sslterm.presets import Data

BALANCED = torch.arange(12_000) % 10
"""10,000 training images and 2,000 test images."""


def made(labels=BALANCED, first_test=10_000, seed=0, **said):
    return split(Data(**said), labels, first_test, seed)


def per_class(indices, labels=BALANCED):
    return torch.bincount(labels[indices]).tolist()


def test_the_default_holds_a_tenth_out_and_labels_a_tenth():
    parts = made()
    assert {name: len(indices) for name, indices in parts.items()} == {
        "train": 9000, "valid": 1000, "test": 2000, "labeled": 900, "unlabeled": 8100,
    }  # fmt: skip
    assert all(set(per_class(indices)) == {len(indices) // 10} for indices in parts.values())
    assert parts["test"].tolist() == list(range(10_000, 12_000))


def test_train_is_labeled_and_unlabeled_together_and_nothing_is_in_two_places():
    parts = made(train=0.5, valid=0.2, test=0.5)
    both = torch.cat([parts["labeled"], parts["unlabeled"]]).sort().values
    assert torch.equal(both, parts["train"])
    everything = torch.cat([parts["train"], parts["valid"], parts["test"]])
    assert len(everything.unique()) == len(everything) == 4000 + 2000 + 1000
    assert all(torch.equal(i, i.sort().values) and i.dtype == torch.int64 for i in parts.values())


def test_counts_are_counts():
    labels = torch.arange(70_000) % 10
    parts = made(labels, 60_000, train=10_000, valid=2000, test=2000)
    assert [len(parts[name]) for name in ("train", "valid", "test")] == [10_000, 2000, 2000]
    assert set(per_class(parts["train"], labels)) == {1000}
    assert parts["test"].min() >= 60_000


def test_uneven_classes_keep_their_proportion():
    labels = torch.tensor([0] * 700 + [1] * 200 + [2] * 100)
    parts = made(labels, 1000, test=0.0, valid=0.1, labeled=9)
    assert per_class(parts["valid"], labels) == [70, 20, 10]
    assert per_class(parts["labeled"], labels) == [6, 2, 1]


def test_remainders_go_to_the_largest():
    assert apportioned(torch.tensor([7, 2, 1]), 4).tolist() == [3, 1, 0]
    assert apportioned(torch.tensor([5, 5, 5]), 4).tolist() == [2, 1, 1]
    assert apportioned(torch.tensor([0, 5]), 0).tolist() == [0, 0]
    for count in range(101):
        shares = apportioned(torch.tensor([61, 0, 17, 22]), count)
        assert shares.sum() == count
        assert (shares <= torch.tensor([61, 0, 17, 22])).all()


def test_the_same_seed_gives_the_same_splits_and_another_seed_others():
    assert all(torch.equal(a, b) for a, b in zip(made().values(), made().values(), strict=True))
    assert not torch.equal(made()["valid"], made(seed=1)["valid"])


def test_other_labels_change_neither_valid_nor_test():
    few, many = made(labeled=0.05), made(labeled=0.2)
    assert torch.equal(few["valid"], many["valid"])
    assert set(few["labeled"].tolist()) < set(many["labeled"].tolist())


def test_without_test_images_of_its_own_a_fifth_is_held_out():
    labels = torch.arange(1797) % 10
    parts = made(labels, 1797)
    assert len(parts["test"]) == 359
    assert len(parts["valid"]) == 144
    assert len(parts["train"]) == 1797 - 359 - 144
    assert len(made(labels, 1797, test=0.5)["test"]) == 899
    assert len(made(labels, 1797, test=100)["test"]) == 100
    assert len(made(labels, 1797, test=0)["test"]) == 0


def test_images_without_labels_train_but_are_never_judged():
    labels = torch.cat([torch.arange(500) % 10, torch.full((1000,), -1), torch.arange(80) % 10])
    parts = made(labels, 1500, valid=0.2, labeled=1.0, train=0.5)
    assert [len(parts[n]) for n in ("valid", "test", "labeled", "unlabeled", "train")] == [100, 80, 200, 1000, 1200]
    assert (labels[torch.cat([parts["valid"], parts["test"], parts["labeled"]])] >= 0).all()
    assert (labels[parts["unlabeled"]] == -1).all()


def test_a_set_without_labels_only_trains():
    parts = made(torch.full((50,), -1), 40)
    assert [len(parts[n]) for n in ("train", "unlabeled", "valid", "test", "labeled")] == [40, 40, 0, 0, 0]
    assert len(made(torch.full((50,), -1), 50, train=20)["train"]) == 20


def test_every_class_has_a_labeled_image():
    labels = torch.tensor([0] * 990 + [1] * 5 + [2] * 5)
    assert per_class(made(labels, 1000, test=0, valid=0, labeled=10)["labeled"], labels) == [8, 1, 1]
    tiny = torch.arange(40) % 10  # where the default share would be less than that, it grows
    assert per_class(made(tiny, 40, test=0, valid=0)["labeled"], tiny) == [1] * 10


def test_no_labels_may_be_asked_for():
    parts = made(labeled=0)
    assert len(parts["labeled"]) == 0
    assert torch.equal(parts["unlabeled"], parts["train"])


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"test": 3000}, r"data\.test: asks for 3,000 test images, but there are 2,000"),
        ({"valid": 10_001}, r"data\.valid: asks for 10,001 training images, but there are 10,000"),
        ({"train": 9500}, r"data\.train: asks for 9,500 training images after data\.valid, but there are 9,000"),
        ({"labeled": 9001}, r"data\.labeled: asks for 9,001 training images, but there are 9,000"),
        ({"labeled": 9}, r"data\.labeled: 9 makes 9 of the 9,000 .* each of the 10 classes"),
        ({"labeled": 0.0005}, r"data\.labeled: 0\.0005 makes 5 of the 9,000"),
        ({"labeled": 0.00001}, r"data\.labeled: 1e-05 makes 0 of the 9,000"),
        ({"valid": 1.0}, r"data\.train: leaves no image to train on"),
        ({"train": 0}, r"data\.train: leaves no image to train on"),
    ],
)
def test_an_impossible_split_is_a_sentence(said, sentence):
    with pytest.raises(DataError, match=sentence):
        made(**said)
