"""`shapes`: ten kinds of figures drawn by code, so that a first run needs no download and learning shows.

The figure's kind is the class; colour, light or dark, texture, background, place, size and angle are nuisance, drawn
from ranges that all classes share. The figures cover about the same area, and each is drawn from its signed distance
(negative inside), which gives soft edges of one pixel at any size.
The set is the same for every run: image i of part p depends on (p, i) alone, never on a run's seed or on the count.
Shapes: n images, S side in pixels, P numbers that describe an image.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
"""float64: processors differ in the last bits of a cosine, and rounding to 256 levels hides that. Pixels are the same
everywhere."""
Draw = Callable[[Array, Array], Array]

VERSION = 2
"""Part of the cache's fingerprint: raise it whenever a pixel changes."""
SEED = 20_201_120
CLASSES = ("disc", "ring", "triangle", "square", "star", "cross", "crescent", "bar", "two dots", "split disc")
NUMBERS = 28
CHUNK = 250


def labels(count: int) -> NDArray[np.int64]:
    """The class of each of `count` images: all classes in turn, so that any count is balanced. int64 (count,)."""
    return np.arange(count, dtype=np.int64) % len(CLASSES)


def draw(count: int, size: int, part: int, start: int = 0) -> NDArray[np.uint8]:
    """Images `start` to `start + count` of a part (0 train, 1 test): uint8 (count, 3, size, size)."""
    stream = np.random.Generator(np.random.PCG64([SEED, part]).advance(start * NUMBERS))
    numbers = stream.random((count, NUMBERS))
    kinds = (start + np.arange(count)) % len(CLASSES)
    images = np.empty((count, 3, size, size), np.uint8)
    for kind, distance in enumerate(FIGURES):
        of_kind = np.flatnonzero(kinds == kind)
        for chunk in np.array_split(of_kind, max(1, len(of_kind) // CHUNK)):
            if len(chunk):
                images[chunk] = _paint(numbers[chunk], distance, size)
    return images


def _paint(numbers: Array, distance: Draw, size: int) -> NDArray[np.uint8]:
    """Images of one kind from the numbers, each 0..1, that say how they look: (n, P) -> uint8 (n, 3, S, S)."""
    take = _columns(numbers)
    radius = 0.25 + 0.15 * take()
    angle, stretch = 2 * np.pi * take(), np.exp(0.20 * take() - 0.10)
    free = 0.49 - 0.9 * radius  # nearly all of the figure stays inside the image
    across, down = (2 * take() - 1) * free, (2 * take() - 1) * free

    steps = (np.arange(size) + 0.5) / size - 0.5
    x, y = np.broadcast_arrays(steps[None, None, :], steps[None, :, None])
    u = (np.cos(angle) * (x - across) + np.sin(angle) * (y - down)) / radius * stretch
    v = (np.cos(angle) * (y - down) - np.sin(angle) * (x - across)) / radius / stretch
    covered = np.clip(0.5 - distance(u, v) * radius * size, 0, 1)

    # Which of the two is lighter is a coin's toss, so that the mean of an image says nothing.
    middle, contrast, lighter = (
        0.35 + 0.30 * take(),
        0.15 + 0.10 * take(),
        np.where(take() < 0.5, 1, -1),
    )
    ground = middle - lighter * contrast + 0.09 * _texture(take, x, y, waves=3)
    figure = middle + lighter * contrast + 0.05 * _texture(take, x, y, waves=1)
    light = ground + covered * (figure - ground)
    tint_ground, tint_figure = _tint(take), _tint(take)
    tint = tint_ground[:, :, None, None] + covered[:, None] * (tint_figure - tint_ground)[:, :, None, None]
    return (np.clip(light[:, None] + tint, 0, 1) * 255 + 0.5).astype(np.uint8)


def _columns(numbers: Array) -> Callable[[], Any]:
    """Hands out one column after the other, as (n, 1, 1)."""
    columns = iter(numbers.T)
    return lambda: next(columns)[:, None, None]


def _texture(take: Callable[[], Any], x: Array, y: Array, waves: int) -> Array:
    """Soft waves of any direction across the image, stronger in some images than in others: (n, S, S), about -1..1."""
    total = np.zeros(())
    for _ in range(waves):
        turn, phase, periods = 2 * np.pi * take(), 2 * np.pi * take(), 0.5 + 2.0 * take()
        total = total + np.cos(2 * np.pi * periods * (np.cos(turn) * x + np.sin(turn) * y) + phase)
    return (0.4 + 0.6 * take()) * total / np.sqrt(waves)


def _tint(take: Callable[[], Any]) -> Array:
    """What a random hue adds to red, green and blue, of no luminance: (n, 3)."""
    hue, strength = 2 * np.pi * take()[:, 0], 0.05 + 0.20 * take()[:, 0]
    thirds = 2 * np.pi / 3 * np.arange(3)
    colour = np.cos(hue - thirds)
    return strength * (colour - (colour * (0.299, 0.587, 0.114)).sum(axis=1, keepdims=True))


# ---------------------------------------------------------------- signed distances, in radii, about (0, 0)


def _disc(u: Array, v: Array) -> Array:
    return np.hypot(u, v) - 0.82


def _ring(u: Array, v: Array) -> Array:
    return np.abs(np.hypot(u, v) - 0.72) - 0.23


def _triangle(u: Array, v: Array) -> Array:
    half = np.sqrt(3) / 2
    return np.maximum(np.maximum(half * u - 0.5 * v, -half * u - 0.5 * v), v) - 0.58


def _square(u: Array, v: Array) -> Array:
    return np.maximum(np.abs(u), np.abs(v)) - 0.78


def _star(u: Array, v: Array) -> Array:
    """Five points: folded into one tenth, the edge is the line from the tip to the notch."""
    fifth = 2 * np.pi / 5
    angle = np.arctan2(v, u)
    folded, far = np.abs(angle - fifth * np.round(angle / fifth)), np.hypot(u, v)
    a, b = far * np.cos(folded), far * np.sin(folded)
    tip, notch = 1.1, 0.46
    edge_a, edge_b = notch * np.cos(fifth / 2) - tip, notch * np.sin(fifth / 2)
    return (edge_b * (a - tip) - edge_a * b) / np.hypot(edge_a, edge_b)


def _cross(u: Array, v: Array) -> Array:
    u, v = np.abs(u), np.abs(v)
    return np.minimum(np.maximum(u - 1.0, v - 0.30), np.maximum(u - 0.30, v - 1.0))


def _crescent(u: Array, v: Array) -> Array:
    return np.maximum(np.hypot(u, v) - 0.98, 0.72 - np.hypot(u - 0.5, v))


def _bar(u: Array, v: Array) -> Array:
    return np.maximum(np.abs(u) - 1.12, np.abs(v) - 0.40)


def _two_dots(u: Array, v: Array) -> Array:
    return np.hypot(np.abs(u) - 0.62, v) - 0.47


def _split_disc(u: Array, v: Array) -> Array:
    return np.maximum(np.hypot(u, v) - 0.95, 0.17 - np.abs(v))


FIGURES: tuple[Draw, ...] = (
    _disc, _ring, _triangle, _square, _star, _cross, _crescent, _bar, _two_dots, _split_disc,
)  # fmt: skip
