"""Tokenizer: equation 3 without its second term, gradients straight through, codes that follow and are all found."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from told import FACTS
from torch import nn

from sslterm import presets
from sslterm.methods import Batch, find, settings
from sslterm.methods.tokenizer import use_of
from sslterm.models.encoders import build_encoder
from sslterm.runs.checkpoints import downward

SMALL = {"codes": 32, "code_dim": 8, "width": 16}


def method(name: str = "vit-micro", **said) -> nn.Module:
    torch.manual_seed(0)
    checked, problems = settings({"name": "tokenizer", **SMALL, **said})
    assert not problems
    return find("tokenizer")(build_encoder(presets.Encoder(name=name), 3), checked, FACTS)


def batch(count: int = 8, seed: int = 1) -> Batch:
    """Smooth images: a few coarse colours each."""
    coarse = torch.randn(count, 3, 4, 4, generator=torch.Generator().manual_seed(seed))
    views = (F.interpolate(coarse, size=16, mode="bilinear"),)
    return Batch(views, torch.full((count,), -1), torch.arange(count))


def trained(learner: nn.Module, steps: int) -> list[dict[str, float]]:
    optimizer = torch.optim.Adam(learner.tokenizer.parameters(), lr=3e-3)
    reports = []
    for step in range(steps):
        report = learner(batch())
        optimizer.zero_grad()
        report["loss"].backward()
        optimizer.step()
        learner.after_step(step / steps)
        reports.append({name: value.item() for name, value in report.items()})
    return reports


class Looking:
    """Held-out images, in one batch."""

    def outputs(self, function):
        with torch.no_grad():
            return function(batch(12, seed=9).views[0])


def test_the_loss_is_equation_3():
    learner, seen = method(), batch()
    (images,) = seen.views
    with torch.no_grad():
        z = learner.tokenizer.encode(images)
        rows, codes = z.reshape(-1, 8).double().numpy(), learner.tokenizer.codebook.codes.double().numpy()
        nearest = ((rows[:, None] - codes[None]) ** 2).sum(2).argmin(1)
        quantised = torch.from_numpy(codes[nearest]).float().view_as(z)
        painted = learner.tokenizer.decode(quantised)
    reconstruction = ((painted - images) ** 2).mean().item()
    commitment = ((rows - codes[nearest]) ** 2).mean()
    said = learner(seen)
    assert said["loss"].item() == pytest.approx(reconstruction + 0.25 * commitment, abs=1e-5)
    assert said["reconstruction"].item() == pytest.approx(reconstruction, abs=1e-5)
    share = np.bincount(nearest, minlength=32) / len(nearest)
    assert said["perplexity"].item() == pytest.approx(math.exp(-(share[share > 0] * np.log(share[share > 0])).sum()))
    assert said["codes_used"].item() == pytest.approx((share > 0).mean())


def test_the_gradient_of_the_decoder_goes_straight_through():
    learner, seen = method(beta=0.0), batch()
    (images,) = seen.views
    held = {}
    learner.tokenizer.encoder.register_forward_hook(lambda module, given, out: held.update(z=out) or out.retain_grad())
    learner.tokenizer.decoder.register_forward_hook(lambda module, given, out: held.update(codes=given[0]))
    learner(seen)["loss"].backward()
    codes = held["codes"].detach().requires_grad_()
    F.mse_loss(learner.tokenizer.decoder(codes), images).backward()
    torch.testing.assert_close(held["z"].grad, codes.grad)
    assert codes.grad.abs().sum() > 0


def test_only_the_tokenizer_learns_and_lower_is_better():
    learner = method()
    assert list(learner.trained()) == ["tokenizer"]
    assert not any(weight.requires_grad for weight in learner.encoder.parameters())
    assert downward(learner.chart)


def test_codes_move_only_once_the_step_is_over():
    learner = method()
    before = learner.tokenizer.codebook.codes.clone()
    learner(batch())
    assert torch.equal(learner.tokenizer.codebook.codes, before)
    learner.after_step(0.1)
    assert not torch.equal(learner.tokenizer.codebook.codes, before)


def test_the_loss_falls_and_nearly_all_codes_are_found():
    reports = trained(method(decay=0.9), 50)
    assert reports[0]["reconstruction"] == pytest.approx(batch().views[0].square().mean().item(), abs=0.1)
    assert reports[0]["codes_used"] < 0.4
    assert reports[-1]["reconstruction"] < 0.7 * reports[0]["reconstruction"]
    assert reports[-1]["codes_used"] > 0.6
    assert reports[-1]["perplexity"] > 12


def test_what_is_measured_says_whether_the_code_book_lives():
    learner = method()
    learner.tokenizer.codebook.codes.fill_(100.0)
    learner.tokenizer.codebook.codes[3] = 0.0
    dead = learner.measure(Looking())
    assert dead["tokenizer/codes_used"] == pytest.approx(1 / 32)
    assert dead["tokenizer/perplexity"] == pytest.approx(1.0)
    (images,) = batch(12, seed=9).views
    with torch.no_grad():
        expected = F.mse_loss(learner.pictures(images)["reconstructed"], images).item()
    assert dead["tokenizer/error"] == pytest.approx(expected, abs=1e-5)


def test_perplexity_is_the_number_of_codes_that_are_used_alike():
    use = use_of(torch.tensor([[0, 0, 4], [4, 7, 7]]), 12)
    assert use["perplexity"].item() == pytest.approx(3.0, abs=1e-5)
    assert use["codes_used"].item() == pytest.approx(3 / 12)


def test_a_state_goes_on_bit_for_bit():
    learner, other = method(), method()
    trained(learner, 3)
    other.load_state_dict(learner.state_dict())
    assert torch.equal(learner(batch())["loss"], other(batch())["loss"])


def test_what_cannot_work_is_said():
    kind = find("tokenizer")
    assert kind.objections(method(codes=1).settings, 8) == ["codes = 1 says the same of every patch; take hundreds"]
    assert "leaves codes dead" in kind.doubts(method(restart=0.0).settings, 8)[0]
    assert not kind.doubts(method().settings, 8)
    with pytest.raises(ValueError, match=r"^method.codes: 5000 are more than the 4096 patches of all images"):
        method(codes=5000)
    with pytest.raises(ValueError, match=r"^encoder.name: a tokenizer needs the patches of a vit"):
        method("conv4")


def test_bf16_gives_a_finite_fp32_loss_and_gradients():
    learner = method()
    with torch.autocast("cpu", torch.bfloat16):
        loss = learner(batch())["loss"]
    loss.backward()
    learner.after_step(0.1)
    assert loss.isfinite()
    assert loss.dtype == torch.float32
    assert learner.tokenizer.codebook.codes.isfinite().all()
    assert all(p.grad.isfinite().all() for part in learner.trained().values() for p in part.parameters())


def test_it_is_built_without_numbers():
    with torch.device("meta"):
        assert method().tokenizer.codebook.codes.is_meta
