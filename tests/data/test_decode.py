"""From a file to a square of pixels."""

import numpy as np
import pytest
from conftest import write
from PIL import Image

from sslterm.data import decode
from sslterm.data.catalog import DataError


def test_an_image_of_the_right_size_is_left_as_it_is(tmp_path):
    path = write(tmp_path / "a.png", size=(12, 12))
    assert np.array_equal(decode.read(path, 3, 12), np.asarray(Image.open(path)).transpose(2, 0, 1))


def test_the_centre_of_a_wide_image_is_kept(tmp_path):
    path = write(tmp_path / "a.png", size=(30, 10))
    whole = np.asarray(Image.open(path).resize((15, 5), Image.Resampling.BILINEAR))
    assert np.array_equal(decode.read(path, 3, 5), whole[:, 5:10].transpose(2, 0, 1))


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "RGBA", "LA", "CMYK"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_mode_becomes_what_is_asked_for(mode, channels, tmp_path):
    path = write(tmp_path / ("a.tif" if mode == "CMYK" else "a.png"), mode=mode)
    pixels = decode.read(path, channels, 8)
    assert pixels.shape == (channels, 8, 8)
    assert pixels.dtype == np.uint8


def test_sixteen_bits_of_grey_are_scaled_not_cut_off(tmp_path):
    levels = np.linspace(0, 65_535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(levels).save(tmp_path / "a.png")
    assert np.array_equal(decode.read(tmp_path / "a.png", 1, 8)[0], levels >> 8)


def test_a_photograph_held_sideways_is_turned_upright(tmp_path):
    dark_left = np.zeros((16, 16, 3), np.uint8)
    dark_left[:, 8:] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate by 90 degrees clockwise to see it"
    Image.fromarray(dark_left).save(tmp_path / "a.jpg", exif=exif, quality=95)
    pixels = decode.read(tmp_path / "a.jpg", 1, 16)[0]
    assert pixels[:6].mean() < 20
    assert pixels[10:].mean() > 235


def test_arrays_are_resized_as_files_are(tmp_path):
    path = write(tmp_path / "a.png", size=(12, 12))
    array = np.asarray(Image.open(path)).transpose(2, 0, 1)[None]
    assert np.array_equal(decode.resized(array, 7)[0], decode.read(path, 3, 7))


@pytest.mark.parametrize("spoil", [lambda data: b"", lambda data: data[: len(data) // 2], lambda data: b"not an image"])
def test_a_broken_image_is_named(spoil, tmp_path):
    path = write(tmp_path / "broken.jpg", size=(40, 40))
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(DataError, match=r"broken\.jpg is broken \(.+\); replace or remove this file"):
        decode.read(path, 3, 12)
