"""What is drawn for views has the distribution that torchvision draws from (Kolmogorov-Smirnov, fixed seeds)."""

import pytest
import torch
from scipy.stats import chisquare, ks_2samp
from torchvision.transforms import ColorJitter, RandomAffine, RandomCrop, RandomResizedCrop

from sslterm.data.views.draw import draw
from sslterm.presets import Views

MANY, THEIR_MANY = 20_000, 4_000


def drawn(recipe: Views, side: int = 32, size: int = 32, channels: int = 3) -> dict[str, torch.Tensor]:
    return draw(recipe, MANY, side, size, channels, torch.Generator().manual_seed(1))


def assert_same_distribution(ours: torch.Tensor, theirs: list[float]) -> None:
    assert ks_2samp(ours.double().numpy(), theirs).pvalue > 0.01


@pytest.mark.parametrize(
    ("area", "ratio", "side"),
    [
        ((0.08, 1.0), (3 / 4, 4 / 3), 32),
        ((0.2, 1.0), (3 / 4, 4 / 3), 96),
        ((0.9, 1.0), (1 / 3, 3.0), 32),  # tries often do not fit
        ((0.9, 1.0), (1.5, 2.0), 32),  # never fits: the way out, a lying box
        ((0.9, 1.0), (0.5, 0.6), 32),  # the same, an upright one
    ],
)
def test_resized_crops_have_torchvisions_distribution(
    area: tuple[float, float], ratio: tuple[float, float], side: int
) -> None:
    crop = drawn(Views(crop="resized", area=area, ratio=ratio), side)["crop"]
    torch.manual_seed(2)
    image = torch.empty(3, side, side)
    theirs = torch.tensor([RandomResizedCrop.get_params(image, list(area), list(ratio)) for _ in range(THEIR_MANY)])
    ours = torch.stack([crop[:, 0, 0], crop[:, 1, 0], crop[:, 0, 1], crop[:, 1, 1]], 1)  # top, left, height, width
    for i in range(4):
        assert_same_distribution(ours[:, i], theirs[:, i].tolist())
    assert_same_distribution(ours[:, 2] * ours[:, 3], (theirs[:, 2] * theirs[:, 3]).tolist())
    assert_same_distribution(ours[:, 2] / ours[:, 3], (theirs[:, 2] / theirs[:, 3]).tolist())


def test_crop_boxes_are_whole_pixels_inside_the_image() -> None:
    start, length = drawn(Views(crop="resized"))["crop"][..., :2].unbind(2)
    assert torch.equal(start, start.round())
    assert torch.equal(length, length.round())
    assert (start >= 0).all()
    assert (length >= 1).all()
    assert (start + length <= 32).all()


def test_padded_crops_have_torchvisions_distribution() -> None:
    ours = drawn(Views(crop="padded", padding=4))["window"]
    torch.manual_seed(2)
    image = torch.empty(3, 40, 40)
    theirs = torch.tensor([RandomCrop.get_params(image, (32, 32))[:2] for _ in range(THEIR_MANY)])
    for i in range(2):
        assert_same_distribution(ours[:, 1 + i], theirs[:, i].tolist())
        assert ours[:, 1 + i].unique().tolist() == list(range(9))


def test_scales_are_uniform_and_crops_are_uniform_in_each() -> None:
    crop = drawn(Views(crop="scaled", scale=(36, 44)))["crop"]
    scale = crop[:, 0, 2]
    assert torch.equal(scale, crop[:, 1, 2]), "height and width grow together"
    assert chisquare(scale.int().bincount()[36:].numpy()).pvalue > 0.01
    for axis in range(2):
        offset = crop[scale == 40, axis, 3].int()
        assert chisquare(offset.bincount(minlength=9).numpy()).pvalue > 0.01


def test_affine_has_torchvisions_distribution() -> None:
    ours = drawn(Views(rotate=15.0, translate=0.1))
    torch.manual_seed(2)
    theirs = [RandomAffine.get_params([-15, 15], [0.1, 0.1], None, None, [32, 32]) for _ in range(THEIR_MANY)]
    assert_same_distribution(ours["angle"], [angle for angle, *_ in theirs])
    assert_same_distribution(ours["shift"][:, 0], [shift[0] for _, shift, *_ in theirs])
    assert_same_distribution(ours["shift"][:, 1], [shift[1] for _, shift, *_ in theirs])


def test_jitter_has_torchvisions_distribution() -> None:
    strengths = {"brightness": 0.4, "contrast": 0.8, "saturation": 1.5, "hue": 0.1}
    ours = drawn(Views(jitter=0.8, **strengths))
    torch.manual_seed(2)
    jitter = ColorJitter(**strengths)
    bounds = jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue
    theirs = [ColorJitter.get_params(*bounds) for _ in range(THEIR_MANY)]

    own, of_grey, of_mean = ours["steps"].unbind(2)
    black = (of_grey == 0) & (of_mean == 0)
    factors = {"brightness": own[black], "contrast": own[of_mean != 0], "saturation": own[of_grey != 0]}
    for i, values in enumerate(factors.values(), start=1):
        assert len(values) == MANY
        assert_same_distribution(values, [params[i] for params in theirs])
    assert_same_distribution(ours["hue"], [params[4] for params in theirs])


def test_all_orders_of_jitter_are_equally_likely() -> None:
    ours = drawn(Views(jitter=0.8, brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1))
    kind = (ours["steps"][..., 1] != 0) * 2 + (ours["steps"][..., 2] != 0) * 1  # 0 black, 1 mean grey, 2 grey
    order = (kind * torch.tensor([9, 3, 1])).sum(1) * 4 + ours["hue_place"]
    counts = order.bincount()
    assert (counts > 0).sum() == 24
    assert chisquare(counts[counts > 0].numpy()).pvalue > 0.01


@pytest.mark.parametrize("name", ["flip", "jitter", "gray", "blur", "solarize"])
@pytest.mark.parametrize("probability", [0.2, 1.0])
def test_coins_fall_as_often_as_said(name: str, probability: float) -> None:
    heads = drawn(Views(**{"brightness": 0.4, name: probability}))[name]
    assert abs(float(heads.float().mean()) - probability) < 0.015


def test_sigma_is_uniform() -> None:
    sigma = drawn(Views(blur=1.0, blur_sigma=(0.1, 2.0)))["sigma"]
    assert_same_distribution(sigma, torch.linspace(0.1, 2.0, THEIR_MANY).tolist())


def test_nothing_is_drawn_that_is_not_asked_for() -> None:
    assert drawn(Views()) == {}
    assert drawn(Views(flip=0.5)).keys() == {"flip"}
    assert drawn(Views(jitter=0.8)) == {}, "all strengths are 0"


def test_whole_images_are_the_way_out_of_ten_tries() -> None:
    crop = drawn(Views(crop="resized", area=(0.99, 1.0), ratio=(0.1, 10.0)))["crop"]
    assert ((crop[..., 1] == 32).all(1)).float().mean() > 0.5
