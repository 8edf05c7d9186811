"""The tokenizer's network and code book: which code is nearest, how codes follow, and that idle ones start again."""

import numpy as np
import pytest
import torch
from torch import nn

from sslterm import presets
from sslterm.models.encoders import build_encoder
from sslterm.models.tokenizer import VQVAE, Codebook, patch_of


def book(codes: int = 5, code_dim: int = 3) -> Codebook:
    torch.manual_seed(0)
    return Codebook(codes, code_dim)


@pytest.mark.parametrize(("patch", "side"), [(2, 8), (4, 16), (8, 16)])
def test_images_become_a_code_for_each_patch_and_images_again(patch, side):
    network = VQVAE(3, patch, codes=6, code_dim=4, width=8)
    images = torch.randn(2, 3, side, side)
    tokens = network.tokens(images)
    assert tokens.shape == (2, (side // patch) ** 2)
    assert 0 <= tokens.min() <= tokens.max() < 6
    assert network(images).shape == images.shape


def test_tokens_come_row_by_row_as_patches_do():
    """A patch that alone differs changes the codes near it, and none at the far end of the image."""
    torch.manual_seed(0)
    network = VQVAE(1, 4, codes=64, code_dim=4, width=8)
    plain, spotted = torch.zeros(1, 1, 64, 64), torch.zeros(1, 1, 64, 64)
    spotted[..., 4:8, 40:44] = 20.0  # row 1, column 10 of 16
    changed = (network.encode(plain) != network.encode(spotted)).any(3)[0]
    rows, columns = changed.nonzero().T
    assert changed[1, 10]
    assert rows.max() <= 4
    assert columns.min() >= 7
    assert torch.equal(network.tokens(plain).view(16, 16)[8:], network.tokens(spotted).view(16, 16)[8:])


def test_the_nearest_code_is_the_nearest():
    codebook, rows = book(), torch.randn(40, 3)
    by_hand = [int(((codebook.codes - row) ** 2).sum(1).argmin()) for row in rows]
    assert codebook.nearest(rows).tolist() == by_hand


def test_codes_are_the_moving_averages_of_equations_6_to_8():
    codebook, decay = book(), 0.9
    count, total = np.zeros(5), np.zeros((5, 3))
    codes = codebook.codes.double().numpy().copy()
    for _ in range(6):
        rows = torch.randn(20, 3) + 1
        tokens = codebook.nearest(rows)
        codebook.follow(rows, tokens, decay)
        for code in range(5):
            own = rows[tokens == code].double().numpy()
            count[code] = decay * count[code] + (1 - decay) * len(own)
            total[code] = decay * total[code] + (1 - decay) * own.sum(0)
            codes[code] = total[code] / count[code] if count[code] else codes[code]
    np.testing.assert_allclose(codebook.codes.numpy(), codes, atol=1e-5)
    np.testing.assert_allclose(codebook.uses.numpy(), count, atol=1e-5)


class TestRestart:
    def test_codes_that_nobody_uses_become_rows_and_have_time_to_be_found(self):
        codebook, rows = book(), torch.randn(20, 3)
        codebook.uses.copy_(torch.tensor([9.0, 0, 0.1, 0.9, 0]))
        before = codebook.codes.clone()
        codebook.restart(rows, 0.2)
        mean = 2.0
        assert torch.equal(codebook.codes[[0, 3]], before[[0, 3]])
        taken = [(rows == code).all(1).nonzero().item() for code in codebook.codes[[1, 2, 4]]]
        assert len(set(taken)) == 3
        torch.testing.assert_close(codebook.uses, torch.tensor([9.0, mean, mean, 0.9, mean]))

    def test_at_0_only_those_that_were_never_used_do(self):
        codebook = book()
        codebook.follow(torch.randn(20, 3), torch.zeros(20, dtype=torch.int64), 0.9)
        codebook.restart(torch.randn(20, 3), 0.0)
        before = codebook.codes.clone()
        for _ in range(50):
            codebook.follow(torch.randn(20, 3), torch.zeros(20, dtype=torch.int64), 0.9)
            codebook.restart(torch.randn(20, 3), 0.0)
        assert torch.equal(codebook.codes[1:], before[1:])

    def test_fewer_rows_than_codes_are_shared(self):
        codebook, rows = book(), torch.randn(2, 3)
        codebook.restart(rows, 0.5)
        assert {tuple(code.tolist()) for code in codebook.codes} == {tuple(row.tolist()) for row in rows}


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"name": "conv4"}, "encoder.name: beit needs the patches of a vit; take one, as in vit-tiny"),
        ({"name": "vit-micro", "patch": 6}, "encoder.patch: 6 is no power of two, by which beit takes images apart"),
    ],
)
def test_an_encoder_without_fitting_patches_is_refused(said, sentence):
    with pytest.raises(ValueError, match=sentence):
        patch_of(build_encoder(presets.Encoder(**said), 3), "beit")


def test_nothing_of_a_code_book_is_trained_by_an_optimizer():
    assert not list(book().parameters())
    assert set(book().state_dict()) == {"codes", "uses"}
    assert isinstance(VQVAE(3, 4, 6, 4, 8).codebook, nn.Module)
