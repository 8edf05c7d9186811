"""`shapes`: always the same pixels, balanced, and no class given away by anything but its figure."""

import hashlib
import subprocess
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from sslterm.data import shapes


def test_the_same_images_are_drawn_every_time():
    assert np.array_equal(shapes.draw(30, 32, part=0), shapes.draw(30, 32, part=0))


def test_another_process_draws_the_same_images():
    program = "import sys; from sslterm.data import shapes; sys.stdout.buffer.write(shapes.draw(20, 32, 0).tobytes())"
    drawn = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    assert hashlib.sha256(drawn).digest() == hashlib.sha256(shapes.draw(20, 32, 0).tobytes()).digest()


def test_an_image_depends_on_its_place_alone():
    whole = shapes.draw(60, 32, part=0)
    assert np.array_equal(whole[35:60], shapes.draw(25, 32, part=0, start=35))
    assert np.array_equal(whole[:23], shapes.draw(23, 32, part=0))


def test_training_and_test_images_differ():
    train, test = shapes.draw(200, 16, part=0), shapes.draw(200, 16, part=1)
    assert len({image.tobytes() for image in (*train, *test)}) == 400


def test_classes_are_balanced():
    assert set(np.bincount(shapes.labels(1000))) == {100}
    assert len(shapes.FIGURES) == len(shapes.CLASSES) == 10


def test_any_size_shows_the_same_picture():
    small, large = shapes.draw(10, 32, part=0), shapes.draw(10, 128, part=0)
    assert large.shape == (10, 3, 128, 128)
    averaged = large.reshape(10, 3, 32, 4, 32, 4).mean((3, 5))
    assert np.abs(averaged - small).mean() < 3


def test_every_figure_stands_out_from_its_ground():
    steps = (np.arange(64) - 31.5) / 24
    across, down = np.meshgrid(steps, steps)
    for name, distance in zip(shapes.CLASSES, shapes.FIGURES, strict=True):
        inside = distance(across, down) < 0
        assert 1.2 < inside.mean() * (64 / 24) ** 2 < 2.6, f"{name} covers about as much as the others"
        assert np.hypot(across, down)[inside].max() < 1.25, name


def test_colour_and_light_say_nothing_of_the_class():
    images = shapes.draw(5000, 16, part=0).mean((2, 3))
    labels = shapes.labels(5000)
    centres = np.stack([images[labels == label].mean(0) for label in range(10)])
    assert centres.std(0).max() < 3, "classes have the same mean colour"


def test_twelve_thousand_images_take_a_few_seconds():
    start = time.process_time()
    shapes.draw(12_000, 32, part=0)
    assert time.process_time() - start < 20


def top1(bank: torch.Tensor, queries: torch.Tensor, k: int = 20) -> float:
    """kNN top-1 by cosine, weighted with temperature 0.1."""
    bank, queries = F.normalize(bank.flatten(1)), F.normalize(queries.flatten(1))
    near, places = (queries @ bank.T).topk(k)
    labels = torch.from_numpy(shapes.labels(max(len(bank), len(queries))))
    votes = torch.zeros(len(queries), 10).scatter_add_(1, labels[places], (near / 0.1).exp())
    return (votes.argmax(1) == labels[: len(queries)]).float().mean().item()


def normalised() -> tuple[torch.Tensor, torch.Tensor]:
    return tuple(
        (torch.from_numpy(shapes.draw(count, 32, part)) / 255 - 0.47) / 0.22 for part, count in enumerate((3000, 500))
    )


def test_pixels_alone_do_not_tell_the_class():
    bank, queries = normalised()
    assert top1(bank, queries) < 0.40
    assert top1(bank.mean(1), queries.mean(1)) < 0.50  # without colour


def test_an_untrained_network_does_not_tell_the_class():
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for before, after in ((3, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
    network = nn.Sequential(*layers).eval()
    with torch.no_grad():
        features = [network(images) for images in normalised()]
    assert top1(*features) < 0.40
    assert top1(*(f.mean((2, 3)) for f in features)) < 0.40
