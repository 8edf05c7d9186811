"""BEiT: blocks are algorithm 1's, codes of hidden patches alone are guessed, the tokenizer never moves."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from judging import taught
from told import FACTS
from torch import nn

from sslterm import presets
from sslterm.methods import Batch, find, settings
from sslterm.methods.beit import blocks
from sslterm.models.encoders import build_encoder

SMALL = {"codes": 32, "code_dim": 8, "width": 16, "block": 3}


def method(name: str = "vit-micro", patch: int | None = None, **said) -> nn.Module:
    torch.manual_seed(0)
    checked, problems = settings({"name": "beit", **SMALL, **said})
    assert not problems
    return find("beit")(build_encoder(presets.Encoder(name=name, patch=patch), 3), checked, FACTS)


def batch(count: int = 8, seed: int = 1) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch((torch.randn(count, 3, 16, 16, generator=generator),), torch.full((count,), -1), torch.arange(count))


def algorithm_1(draws: np.ndarray, h: int, w: int, share: float, smallest: int) -> np.ndarray:
    """Of one image, as the paper writes it: block after block until more than `share` of all is hidden."""
    hidden = np.zeros((h, w), bool)
    for area, aspect, top, left in draws.astype(np.float64):
        if hidden.sum() > share * h * w:
            break
        s = max(smallest + area * (share * h * w - hidden.sum() - smallest), 1)
        r = math.exp(math.log(0.3) + aspect * (math.log(1 / 0.3) - math.log(0.3)))
        a, b = min(max(round(math.sqrt(s * r)), 1), h), min(max(round(math.sqrt(s / r)), 1), w)
        t, l = int(top * (h - a + 1)), int(left * (w - b + 1))  # noqa: E741
        hidden[t : t + a, l : l + b] = True
    return hidden.reshape(-1)


class TestBlocks:
    @pytest.mark.parametrize(("rows", "columns", "smallest"), [(8, 8, 5), (14, 14, 16), (4, 6, 2)])
    def test_they_are_algorithm_1s(self, rows, columns, smallest):
        draws = torch.rand(40, 12, 4, generator=torch.Generator().manual_seed(0))
        ours = blocks(draws, rows, columns, 0.4, smallest).numpy()
        theirs = [algorithm_1(one, rows, columns, 0.4, smallest) for one in draws.numpy()]
        assert (ours == np.stack(theirs)).all()

    @pytest.mark.parametrize(("side", "smallest"), [(8, 5), (14, 16), (4, 2)])
    def test_about_two_fifths_are_hidden_in_other_places_of_each_image(self, side, smallest):
        draws = torch.rand(500, 12, 4, generator=torch.Generator().manual_seed(0))
        hidden = blocks(draws, side, side, 0.4, smallest)
        shares = hidden.float().mean(1)
        assert 0.4 < shares.mean() < 0.47
        assert shares.max() < 0.6
        assert (shares > 0.4).float().mean() > 0.99
        assert len(hidden.unique(dim=0)) > 300
        everywhere = hidden.float().mean(0)
        assert everywhere.min() > 0.02  # corners are seldom
        assert everywhere.max() < 0.8

    def test_neighbours_are_hidden_together(self):
        hidden = blocks(torch.rand(500, 12, 4), 8, 8, 0.4, 5).view(-1, 8, 8)
        beside = hidden[:, :, 1:][hidden[:, :, :-1]].float().mean()
        assert beside > 0.6  # were each patch hidden by itself: 0.42


def test_the_loss_is_the_mean_over_hidden_patches():
    learner, seen = method(), batch()
    (images,) = seen.views
    torch.manual_seed(5)
    said = learner(seen)
    torch.manual_seed(5)
    hidden = blocks(torch.rand(8, 12, 4), 4, 4, 0.4, 3)
    with torch.no_grad():
        patches, encoder = learner.encoder.patches(images), learner.encoder
        patches[hidden] = learner.predictor.mask
        logits = learner.predictor.head(encoder.encode(patches + encoder.positions(4, 4))[:, 1:])
        tokens = learner.tokenizer.tokens(images)
    log_p = logits.double().numpy() - np.log(np.exp(logits.double().numpy()).sum(2, keepdims=True))
    losses = [-log_p[i, n, tokens[i, n]] for i in range(8) for n in range(16) if hidden[i, n]]
    right = [logits[i, n].argmax() == tokens[i, n] for i in range(8) for n in range(16) if hidden[i, n]]
    assert said["loss"].item() == pytest.approx(np.mean(losses), abs=1e-5)
    assert said["accuracy"].item() == pytest.approx(np.mean(right), abs=1e-5)


def test_unknowing_guesses_cost_the_logarithm_of_the_codes():
    assert method(codes=500)(batch(32))["loss"].item() == pytest.approx(math.log(500), abs=0.15)


def test_what_is_hidden_is_not_seen():
    """Two images that differ in hidden patches only are the same to the encoder."""
    learner, (images,) = method(), batch().views
    hidden = blocks(torch.rand(8, 12, 4), 4, 4, 0.4, 3)
    pixels = hidden.view(8, 1, 4, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)
    other = torch.where(pixels, torch.randn_like(images), images)
    with torch.no_grad():
        assert torch.equal(learner._guesses(images, hidden), learner._guesses(other, hidden))
        assert not torch.equal(learner._guesses(images, ~hidden), learner._guesses(other, ~hidden))


def test_a_patch_that_is_hidden_knows_its_place():
    learner, (images,) = method(), batch(1).views
    with torch.no_grad():
        guesses = learner._guesses(images, torch.ones(1, 16, dtype=torch.bool))
    assert not torch.allclose(guesses[0, 0], guesses[0, 15])


def test_the_tokenizer_never_moves():
    learner = method()
    before = {key: value.clone() for key, value in learner.tokenizer.state_dict().items()}
    assert list(learner.trained()) == ["encoder", "predictor"]
    assert not learner.train().tokenizer.training
    optimizer = torch.optim.AdamW([p for part in learner.trained().values() for p in part.parameters()])
    learner(batch())["loss"].backward()
    optimizer.step()
    learner.after_step(0.5)
    assert all(p.grad is None for p in learner.tokenizer.parameters())
    assert all(torch.equal(value, before[key]) for key, value in learner.tokenizer.state_dict().items())


def test_its_tokenizer_is_the_one_that_the_stage_before_trained():
    checked, _ = settings({"name": "tokenizer", **{key: SMALL[key] for key in ("codes", "code_dim", "width")}})
    earlier = find("tokenizer")(build_encoder(presets.Encoder(name="vit-micro"), 3), checked, FACTS)
    theirs = {key: value.shape for key, value in earlier.state_dict().items() if key.startswith("tokenizer.")}
    ours = {key: value.shape for key, value in method().state_dict().items() if key.startswith("tokenizer.")}
    assert ours == theirs


def test_pictures_show_what_is_hidden_and_what_is_guessed():
    learner, (images,) = method().eval(), batch().views
    with torch.no_grad():
        pictures = learner.pictures(images)
    assert {key: value.shape for key, value in pictures.items()} == dict.fromkeys(
        ("image", "masked", "guessed"), images.shape
    )
    assert 0.4 < (pictures["masked"] == 0).float().mean() < 0.6


def test_what_cannot_work_is_said():
    with pytest.raises(ValueError, match=r"^encoder.name: beit needs the patches of a vit"):
        method("conv4")
    with pytest.raises(ValueError, match=r"^encoder.patch: 6 is no power of two"):
        method(patch=6)
    with pytest.raises(ValueError, match=r"^method.block: 40 patches are more than the 25.6 that masked = 0.4 hides"):
        method(block=40)


def test_bf16_gives_a_finite_fp32_loss_and_gradients_and_the_codes_of_fp32():
    learner, seen = method(), batch()
    exact = learner._tokens(seen.views[0])
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(learner._tokens(seen.views[0]), exact)
        loss = learner(seen)["loss"]
    loss.backward()
    assert loss.isfinite()
    assert loss.dtype == torch.float32
    assert all(p.grad.isfinite().all() for part in learner.trained().values() for p in part.parameters())


def test_a_state_goes_on_bit_for_bit():
    learner, other = method(), method()
    for p in learner.parameters():
        p.data += torch.randn_like(p) / 10
    other.load_state_dict(learner.state_dict())
    losses = []
    for one in (learner, other):
        torch.manual_seed(3)
        losses.append(one(batch())["loss"])
    assert torch.equal(*losses)


def test_the_loss_falls():
    learner, seen = method(), batch()
    optimizer = torch.optim.AdamW([p for part in learner.trained().values() for p in part.parameters()], 1e-3)
    losses = taught(learner, seen, optimizer, 25)
    assert losses[-1] < 0.8 * losses[0]
    assert F.relu(torch.tensor(losses)).isfinite().all()


def test_it_is_built_without_numbers():
    with torch.device("meta"):
        assert method().predictor.mask.is_meta
