from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from sslterm.engine.features import evaluating, extract, outputs
from sslterm.engine.linear import fit_linear

CPU = torch.device("cpu")


@dataclass
class Images:
    pixels: Tensor

    def batches(self, order: Sequence[Tensor], device: torch.device) -> Iterator[Tensor]:
        for indices in order:
            yield self.pixels[indices].to(device)


class Encoder(nn.Module):
    """Small, with the two parts whose behaviour differs between train and eval mode, and a frozen one."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen = nn.BatchNorm2d(3).eval()
        self.conv = nn.Conv2d(3, 6, 3)
        self.bn = nn.BatchNorm2d(6)
        self.dropout = nn.Dropout(0.5)
        self.seen: list[tuple[bool, torch.dtype]] = []

    def forward(self, images: Tensor) -> Tensor:
        x = self.conv(self.frozen(images))
        self.seen.append((images.is_contiguous(memory_format=torch.channels_last), x.dtype))
        return self.dropout(self.bn(x)).mean(dim=(2, 3))


def view(images: Tensor, flip: bool = False, scale: int | None = None) -> Tensor:
    x = images.float() / 255
    x = x.flip(-1) if flip else x
    return nn.functional.interpolate(x, size=(scale, scale)) if scale else x


@pytest.fixture
def images() -> Images:
    return Images(torch.randint(256, (23, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)))


@pytest.fixture
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder()


def by_hand(encoder: Encoder, inputs: Tensor) -> Tensor:
    with evaluating(encoder), torch.no_grad():
        return encoder(inputs)


def test_features_are_those_of_the_images_asked_for_in_their_order(images, encoder):
    indices = torch.tensor([5, 2, 22, 0, 7, 7, 1])
    features = extract(encoder, images, indices, view, CPU, batch_size=3)
    assert features.dtype == torch.float32
    assert features.shape == (7, 6)
    torch.testing.assert_close(features, by_hand(encoder, view(images.pixels[indices])))


def test_the_batch_size_does_not_matter(images, encoder):
    one, seven, all_at_once = (extract(encoder, images, torch.arange(23), view, CPU, batch_size=b) for b in (1, 7, 99))
    torch.testing.assert_close(one, seven)
    torch.testing.assert_close(one, all_at_once)


def test_flip_and_scale_reach_the_view(images, encoder):
    features = extract(encoder, images, torch.arange(4), view, CPU, flip=True, scale=12)
    torch.testing.assert_close(features, by_hand(encoder, view(images.pixels[:4], flip=True, scale=12)))


def test_every_module_is_back_in_its_mode_and_its_statistics_have_not_moved(images, encoder):
    encoder.train()
    encoder.frozen.eval()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    extract(encoder, images, torch.arange(8), view, CPU)
    assert [m.training for m in (encoder, encoder.frozen, encoder.bn, encoder.dropout)] == [True, False, True, True]
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_modes_come_back_after_an_error_too(encoder):
    with pytest.raises(KeyError), evaluating(encoder):
        raise KeyError
    assert encoder.training
    assert not encoder.frozen.training


def test_the_network_sees_channels_last(images, encoder):
    extract(encoder, images, torch.arange(8), view, CPU)
    assert encoder.seen == [(True, torch.float32)]


def test_bf16_is_the_networks_alone_and_features_are_float32(images, encoder):
    dtypes = []

    def recording(pixels: Tensor, **version) -> Tensor:
        dtypes.append((torch.eye(2) @ torch.eye(2)).dtype)
        return view(pixels, **version)

    features = extract(encoder, images, torch.arange(8), recording, CPU, precision="bf16")
    assert encoder.seen[0][1] == torch.bfloat16
    assert dtypes == [torch.float32]
    assert features.dtype == torch.float32
    torch.testing.assert_close(features, by_hand(encoder, view(images.pixels[:8])), atol=0.02, rtol=0.02)


def test_random_numbers_are_left_alone(images, encoder):
    state = torch.get_rng_state()
    extract(encoder.train(), images, torch.arange(8), view, CPU)
    assert torch.equal(state, torch.get_rng_state())


def test_features_may_take_part_in_training(images, encoder):
    features = extract(encoder, images, torch.arange(8), view, CPU)
    assert not features.is_inference()
    labels = torch.arange(8) % 2
    assert fit_linear(features, labels, features, labels, 2, weight_decays=[0.1]).weight.shape == (2, 6)


def test_outputs_are_what_a_method_of_the_network_says(images):
    class Classifier(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.head = Encoder(), nn.Linear(6, 4)

        def classify(self, images: Tensor) -> Tensor:
            return self.head(self.encoder(images))

    method, seen = Classifier().train(), []
    logits = outputs(method.classify, method, images, torch.arange(23), view, CPU, batch_size=10, progress=seen.append)
    with torch.no_grad():
        torch.testing.assert_close(logits, method.head(by_hand(method.encoder, view(images.pixels))))
    assert seen == [10, 10, 3]
    assert method.encoder.dropout.training
