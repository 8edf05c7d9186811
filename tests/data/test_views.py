"""Each change of a view against torchvision.transforms.v2.functional, on floats, with the same parameters."""

import math

import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from sslterm.data.views import PlainView, TrainView, ViewError, colour, geometry
from sslterm.data.views.draw import draw
from sslterm.presets import Views

MEAN, STD = (0.5, 0.4, 0.3), (0.25, 0.2, 0.3)
LEVEL = 1 / 255


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some_images(images: int = 24, side: int = 32, channels: int = 3) -> torch.Tensor:
    """Soft shapes with hard edges, saturated and grey places: harder than photographs. uint8."""
    coarse = torch.randn(images, channels, 5, 5, generator=seeded(7))
    smooth = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic")
    pixels = (smooth * 90 + 128).clamp(0, 255).byte()
    pixels[:, :, : side // 4, : side // 4] = pixels[:, :1, : side // 4, : side // 4]  # grey
    pixels[::3, :, side // 2 :, -3:] = 255
    return pixels


def as_floats(images: torch.Tensor) -> torch.Tensor:
    return images.float() / 255


def made(recipe: Views, images: torch.Tensor, size: int, seed: int = 0) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Views in 0..1, and what was drawn for them."""
    channels = images.shape[1]
    view = TrainView(recipe, (0.0,) * channels, (1.0,) * channels, channels, size)
    drawn = draw(recipe, len(images), images.shape[-1], size, channels, seeded(seed))
    return view(images, seeded(seed)), drawn


def normalised(images: torch.Tensor) -> torch.Tensor:
    mean, std = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(STD).view(3, 1, 1)
    return (as_floats(images) - mean) / std


# ---------------------------------------------------------------- geometry


@pytest.mark.parametrize(("side", "size"), [(32, 32), (96, 32), (40, 64), (65, 28)])
def test_a_resized_crop_with_flip_equals_torchvisions(side: int, size: int) -> None:
    images = some_images(side=side)
    views, drawn = made(Views(crop="resized", area=(0.08, 1.0), flip=0.5), images, size)
    for view, image, (rows, columns), flip in zip(views, as_floats(images), drawn["crop"], drawn["flip"], strict=True):
        top, height, left, width = (int(n) for n in (*rows[:2], *columns[:2]))
        expected = tv.resized_crop(image, top, left, height, width, [size, size], antialias=True)
        torch.testing.assert_close(view, tv.horizontal_flip(expected) if flip else expected, atol=5e-6, rtol=0)


def test_a_padded_crop_equals_torchvisions() -> None:
    images = some_images()
    views, drawn = made(Views(crop="padded", padding=4), images, 32)
    for view, image, (_, top, left) in zip(views, as_floats(images), drawn["window"].tolist(), strict=True):
        assert torch.equal(view, tv.crop(tv.pad(image, [4]), top, left, 32, 32))


@pytest.mark.parametrize("scale", [(36, 36), (36, 44)])
@pytest.mark.parametrize("side", [32, 48])
def test_a_scaled_crop_equals_torchvisions(scale: tuple[int, int], side: int) -> None:
    images = some_images(side=side)
    views, drawn = made(Views(crop="scaled", scale=scale), images, 32)
    for view, image, (rows, columns) in zip(views, as_floats(images), drawn["crop"].int().tolist(), strict=True):
        large = tv.resize(image, [rows[2], columns[2]], antialias=True)
        torch.testing.assert_close(view, tv.crop(large, rows[3], columns[3], 32, 32), atol=5e-6, rtol=0)


def test_without_a_crop_images_are_resized_to_the_view() -> None:
    images = some_images(side=28)
    views, _ = made(Views(), images, 64)
    torch.testing.assert_close(views, tv.resize(as_floats(images), [64, 64], antialias=True), atol=5e-6, rtol=0)


def test_rotation_and_translation_equal_torchvisions_affine() -> None:
    images = some_images()
    views, drawn = made(Views(rotate=15.0, translate=0.1), images, 32)
    assert drawn["shift"].abs().max() == 3
    for view, image, angle, shift in zip(views, as_floats(images), drawn["angle"], drawn["shift"], strict=True):
        expected = tv.affine(
            image, float(angle), [int(s) for s in shift], 1.0, [0.0, 0.0], tv.InterpolationMode.BILINEAR
        )
        torch.testing.assert_close(view, expected, atol=1e-4, rtol=0)


def test_translation_alone_moves_whole_pixels_and_leaves_zeros() -> None:
    images = some_images(4)
    moved = geometry.warp(as_floats(images), torch.zeros(4), torch.tensor([[3.0, -2.0]]).expand(4, 2))
    torch.testing.assert_close(moved[:, :, :-2, 3:], as_floats(images)[:, :, 2:, :-3], atol=1e-5, rtol=0)
    assert moved[:, :, -2:].abs().max() < 1e-5
    assert moved[:, :, :, :3].abs().max() < 1e-5


def test_quarter_turns_are_exact_and_all_four_occur() -> None:
    images = some_images(64)
    views, drawn = made(Views(quarter_turns=True), images, 32)
    assert drawn["turn"].unique().tolist() == [0, 1, 2, 3]
    for view, image, turns in zip(views, as_floats(images), drawn["turn"].tolist(), strict=True):
        assert torch.equal(view, torch.rot90(image, turns, (1, 2)))


def test_the_order_is_crop_then_affine_then_turn_then_flip() -> None:
    images = some_images(side=40)
    recipe = Views(crop="resized", rotate=20.0, translate=0.2, quarter_turns=True, flip=0.5)
    views, drawn = made(recipe, images, 32)
    for i, image in enumerate(as_floats(images)):
        (top, height), (left, width) = drawn["crop"][i, :, :2].int().tolist()
        expected = tv.resized_crop(image, top, left, height, width, [32, 32], antialias=True)
        angle, shift = float(drawn["angle"][i]), drawn["shift"][i].int().tolist()
        expected = tv.affine(expected, angle, shift, 1.0, [0.0, 0.0], tv.InterpolationMode.BILINEAR)
        expected = expected.rot90(int(drawn["turn"][i]), (1, 2))
        expected = expected.flip(2) if drawn["flip"][i] else expected
        torch.testing.assert_close(views[i], expected, atol=1e-4, rtol=0)


# ---------------------------------------------------------------- colour

ADJUST = {"brightness": tv.adjust_brightness, "contrast": tv.adjust_contrast, "saturation": tv.adjust_saturation}


@pytest.mark.parametrize("name", ADJUST)
def test_brightness_contrast_and_saturation_equal_torchvisions(name: str) -> None:
    images = some_images()
    views, drawn = made(Views(jitter=1.0, **{name: 0.8}), images, 32)
    for view, image, step in zip(views, as_floats(images), drawn["steps"][:, 0], strict=True):
        torch.testing.assert_close(view, ADJUST[name](image, float(step[0])), atol=0.01 * LEVEL, rtol=0)


def test_hue_equals_torchvisions() -> None:
    images = some_images()
    views, drawn = made(Views(jitter=1.0, hue=0.5), images, 32)
    for view, image, hue in zip(views, as_floats(images), drawn["hue"], strict=True):
        torch.testing.assert_close(view, tv.adjust_hue(image, float(hue)), atol=0.01 * LEVEL, rtol=0)


def test_hue_is_right_for_every_corner_edge_and_grey_of_the_colour_cube() -> None:
    line = torch.linspace(0, 1, 9)
    cube = torch.cartesian_prod(line, line, line).T.reshape(1, 3, -1, 27)
    for hue in (-0.5, -1 / 3, -0.1, 0.0, 0.25, 0.5):
        turned = cube.clone().flatten(2)
        colour.turn_hue(turned, torch.tensor([hue]))
        torch.testing.assert_close(turned.view_as(cube), tv.adjust_hue(cube, hue), atol=0.01 * LEVEL, rtol=0)


def test_jitter_in_each_samples_own_order_equals_torchvisions() -> None:
    images = some_images(96)
    recipe = Views(jitter=0.8, brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)
    views, drawn = made(recipe, images, 32)
    orders = set()
    for i, image in enumerate(as_floats(images)):
        steps = [jitter_step(*shares) for shares in drawn["steps"][i].tolist()]
        steps.insert(int(drawn["hue_place"][i]), ("hue", float(drawn["hue"][i])))
        orders.add(tuple(name for name, _ in steps))
        for name, factor in steps if drawn["jitter"][i] else []:
            image = {**ADJUST, "hue": tv.adjust_hue}[name](image, factor)
        torch.testing.assert_close(views[i], image, atol=0.01 * LEVEL, rtol=0)
    assert len(orders) > 20, "of the 24 orders nearly all occur among 96 samples"


def jitter_step(own: float, of_grey: float, of_mean: float) -> tuple[str, float]:
    """Which change an affine step is, by what the pixel is blended with."""
    return ("saturation" if of_grey else "contrast" if of_mean else "brightness"), own


def test_tails_leaves_the_colours_alone() -> None:
    images = some_images(64)
    views, drawn = made(Views(jitter=0.5, brightness=0.4, hue=0.1), images, 32)
    same = (views == as_floats(images)).flatten(1).all(1)
    assert torch.equal(same, ~drawn["jitter"])
    assert 0 < int(same.sum()) < 64


def test_gray_equals_torchvisions() -> None:
    images = some_images()
    views, drawn = made(Views(gray=0.5), images, 32)
    for view, image, gray in zip(views, as_floats(images), drawn["gray"], strict=True):
        expected = tv.rgb_to_grayscale(image, 3) if gray else image
        torch.testing.assert_close(view, expected, atol=0.01 * LEVEL, rtol=0)


@pytest.mark.parametrize(("side", "kernel"), [(28, 3), (32, 3), (64, 7), (96, 9), (224, 23)])
def test_blur_equals_torchvisions(side: int, kernel: int) -> None:
    images = some_images(6, side)
    views, drawn = made(Views(blur=0.7, blur_sigma=(0.1, 2.0)), images, side)
    for view, image, blur, sigma in zip(views, as_floats(images), drawn["blur"], drawn["sigma"], strict=True):
        expected = tv.gaussian_blur(image, [kernel, kernel], [float(sigma)] * 2) if blur else image
        torch.testing.assert_close(view, expected, atol=0.01 * LEVEL, rtol=0)


def test_solarize_equals_torchvisions() -> None:
    images = some_images()
    views, drawn = made(Views(solarize=0.5), images, 32)
    for view, image, solarize in zip(views, as_floats(images), drawn["solarize"], strict=True):
        assert torch.equal(view, tv.solarize(image, 0.5) if solarize else image)


def test_the_colours_order_is_jitter_gray_blur_solarize() -> None:
    images = some_images()
    views, drawn = made(Views(jitter=1.0, brightness=0.4, gray=0.5, blur=0.5, solarize=0.5), images, 32)
    for i, image in enumerate(as_floats(images)):
        image = tv.adjust_brightness(image, float(drawn["steps"][i, 0, 0]))
        image = tv.rgb_to_grayscale(image, 3) if drawn["gray"][i] else image
        image = tv.gaussian_blur(image, [3, 3], [float(drawn["sigma"][i])] * 2) if drawn["blur"][i] else image
        near_threshold = (image - 0.5).abs() < 1e-4  # a rounding error there is the whole range
        image = tv.solarize(image, 0.5) if drawn["solarize"][i] else image
        difference = (views[i] - image).abs().masked_fill(near_threshold, 0)
        assert difference.max() < 0.01 * LEVEL


# ---------------------------------------------------------------- channels


def test_grey_images_become_three_equal_channels_where_asked() -> None:
    images = some_images(channels=1)
    view = TrainView(Views(crop="resized", flip=0.5), (0.0,), (1.0,), 3, 32)(images, seeded())
    assert view.shape == (24, 3, 32, 32)
    assert torch.equal(view[:, 0], view[:, 2])


def test_one_channel_knows_brightness_and_contrast_but_no_colour() -> None:
    images = some_images(channels=1)
    recipe = Views(jitter=1.0, brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, gray=1.0)
    views, drawn = made(recipe, images, 32)
    assert {"hue", "gray"}.isdisjoint(drawn)
    assert drawn["steps"].shape == (24, 2, 3)
    for view, image, steps in zip(views, as_floats(images), drawn["steps"].tolist(), strict=True):
        for name, factor in (jitter_step(*shares) for shares in steps):
            image = ADJUST[name](image, factor)
        torch.testing.assert_close(view, image, atol=0.01 * LEVEL, rtol=0)


# ---------------------------------------------------------------- the whole view

EVERYTHING = Views(
    crop="resized", rotate=10.0, translate=0.1, quarter_turns=True, flip=0.5, jitter=0.8, brightness=0.4, contrast=0.4,
    saturation=0.4, hue=0.1, gray=0.2, blur=0.5, solarize=0.2,
)  # fmt: skip


def test_the_same_seed_gives_the_same_views() -> None:
    view = TrainView(EVERYTHING, MEAN, STD, 3, 32)
    images = some_images()
    assert torch.equal(view(images, seeded(3)), view(images, seeded(3)))
    assert not torch.equal(view(images, seeded(3)), view(images, seeded(4)))


def test_each_sample_of_a_batch_is_seen_differently() -> None:
    images = some_images(1).expand(16, -1, -1, -1)
    views = TrainView(EVERYTHING, MEAN, STD, 3, 32)(images, seeded())
    distances = torch.cdist(views.flatten(1), views.flatten(1)) + torch.eye(16) * 100
    assert distances.min() > 0.5


def test_views_do_not_depend_on_how_many_are_treated_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    view, images = TrainView(EVERYTHING, MEAN, STD, 3, 32), some_images(50)
    together = view(images, seeded())
    monkeypatch.setattr("sslterm.data.views.WORKING_SET", 7 * 4 * 3 * 32 * 32)
    torch.testing.assert_close(view(images, seeded()), together, atol=1e-5, rtol=0)


def test_images_in_channels_last_order_are_welcome() -> None:
    view, images = TrainView(EVERYTHING, MEAN, STD, 3, 32), some_images()
    shuffled = images.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(view(shuffled, seeded()), view(images, seeded()))


def test_views_leave_the_images_and_the_global_generator_alone() -> None:
    images = some_images()
    before, state = images.clone(), torch.get_rng_state()
    TrainView(EVERYTHING, MEAN, STD, 3, 32)(images, seeded())
    assert torch.equal(images, before)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("images", [1, 2])
def test_a_single_image_is_a_batch_too(channels: int, images: int) -> None:
    for crop in ("none", "resized", "padded", "scaled"):
        recipe = EVERYTHING.model_copy(update={"crop": crop})
        views = TrainView(recipe, (0.5,), (0.5,), channels, 32)(some_images(images, channels=channels), seeded())
        assert views.shape == (images, channels, 32, 32)
        assert views.isfinite().all()


def test_a_recipe_with_everything_off_equals_the_plain_view() -> None:
    images = some_images()
    train, plain = TrainView(Views(), MEAN, STD, 3, 32), PlainView(Views(), MEAN, STD, 3, 32)
    assert torch.equal(train(images, seeded()), plain(images))


def test_many_views_of_an_image_have_torchvisions_mean_and_spread() -> None:
    """The whole recipe at once: 1,500 views of one image, ours and torchvision's."""
    recipe = Views(
        crop="resized", area=(0.2, 1.0), jitter=0.8, brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, gray=0.2
    )
    image = some_images(1)
    ours, _ = made(recipe, image.expand(1500, -1, -1, -1), 32)
    torch.manual_seed(0)
    chain = v2.Compose(
        [
            v2.RandomResizedCrop(32, scale=(0.2, 1.0), antialias=True),
            v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
            v2.RandomGrayscale(0.2),
        ]
    )
    theirs = torch.stack([chain(as_floats(image)[0]) for _ in range(1500)])
    spread = theirs.mean((2, 3)).std(0) / math.sqrt(1500)
    assert ((ours.mean((0, 2, 3)) - theirs.mean((0, 2, 3))).abs() < 5 * spread).all()
    torch.testing.assert_close(ours.std(0).mean(), theirs.std(0).mean(), rtol=0.05, atol=0)


# ---------------------------------------------------------------- plain views


def test_the_plain_view_is_the_normalised_image() -> None:
    images = some_images()
    assert torch.equal(PlainView(EVERYTHING, MEAN, STD, 3, 32)(images), normalised(images))


def test_the_flipped_plain_view_is_its_mirror_image() -> None:
    images = some_images()
    plain = PlainView(Views(), MEAN, STD, 3, 32)
    assert torch.equal(plain(images, flip=True), normalised(images).flip(3))


@pytest.mark.parametrize("scale", [32, 36, 37, 40, 44, 27])
@pytest.mark.parametrize("side", [32, 96])
def test_the_scaled_plain_view_is_torchvisions_resize_and_centre_crop(side: int, scale: int) -> None:
    images = some_images(side=side)
    plain = PlainView(Views(), (0.0,) * 3, (1.0,) * 3, 3, 32)
    expected = tv.center_crop(tv.resize(as_floats(images), [scale, scale], antialias=True), [32, 32])
    torch.testing.assert_close(plain(images, scale=scale), expected, atol=5e-6, rtol=0)


def test_evaluation_takes_the_middle_of_the_scales_unless_told() -> None:
    def scale(**said: object) -> int:
        return PlainView(Views(**said), MEAN, STD, 3, 32).scale

    assert scale() == 32
    assert scale(crop="scaled", scale=(36, 44)) == 40
    assert scale(crop="scaled", scale=(36, 44), eval_scale=38) == 38


# ---------------------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"area": (0.5, 0.2)}, "views.area"),
        ({"crop": "resized", "area": (0.5, 1.2)}, "at most the whole image"),
        ({"blur_sigma": (0.0, 1.0)}, "views.blur_sigma"),
        ({"crop": "scaled", "scale": (28, 36)}, "holds no crop of 32"),
    ],
)
def test_contradictions_are_said_in_a_sentence(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ViewError, match=says):
        TrainView(Views(**wrong), MEAN, STD, 3, 32)


def test_a_padded_crop_larger_than_its_image_is_refused() -> None:
    view = TrainView(Views(crop="padded", padding=2), MEAN, STD, 3, 40)
    with pytest.raises(ViewError, match="take at least 4"):
        view(some_images(2), seeded())
