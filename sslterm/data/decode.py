"""From an image file, or an array of another size, to a square of uint8 pixels. Cached and streamed images both pass
here, so they are the same to the last bit.

Shapes: C channels (1 or 3), S side in pixels, n images.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sslterm.data.catalog import DataError

if TYPE_CHECKING:
    from PIL import Image

VERSION = 1
"""Part of every folder's fingerprint: raise it whenever a pixel changes."""
ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm"})
"""What counts as an image; other files are passed over."""
GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16L", "I;16B", "I;16N"})


def read(path: Path, channels: int, size: int, out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """The image upright, its shorter side resized to `size`, its centre cut out: uint8 (C, size, size); in `out`, where
    that is given.

    Raises DataError that names the file.
    """
    from PIL import Image, ImageOps

    mode = "L" if channels == 1 else "RGB"
    try:
        with Image.open(path) as image:
            # A JPEG many times too large is decoded at a half, a quarter or an eighth of its size.
            image.draft(None, (2 * size, 2 * size))
            turned = "exif" in image.info or image.format == "TIFF"
            upright = ImageOps.exif_transpose(image) if turned else image
            return _pixels(_fitted(_converted(upright, mode), size), out)
    except (OSError, SyntaxError, ValueError, EOFError, ArithmeticError, Image.DecompressionBombError) as error:
        raise _broken(path, error) from error


def header(path: Path) -> tuple[int, int, bool]:
    """Width, height and whether it is grey, without decoding. Raises DataError that names the file."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return *image.size, image.mode in GREY_MODES
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> DataError:
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path} was there a moment ago and is gone; put it back, or start again without it")
    why = "not an image that can be decoded" if "cannot identify" in str(error) else str(error) or type(error).__name__
    return DataError(f"{path} is broken ({why}); replace or remove this file")


def resized(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """uint8 (n, C, height, width) -> (n, C, size, size), as `read` does it."""
    if images.shape[2:] == (size, size):
        return images
    from PIL import Image

    result = np.empty((*images.shape[:2], size, size), np.uint8)
    for place, image in enumerate(images):
        pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        _pixels(_fitted(Image.fromarray(np.ascontiguousarray(pixels)), size), result[place])
    return result


def _converted(image: Image.Image, mode: str) -> Image.Image:
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits of grey: PIL would cut them off at 255
        return Image.fromarray((np.asarray(image).clip(0, 65_535) >> 8).astype(np.uint8)).convert(mode)
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image if image.mode == mode else image.convert(mode)


def _fitted(image: Image.Image, size: int) -> Image.Image:
    from PIL import Image

    width, height = image.size
    if (width, height) == (size, size):
        return image
    shorter = min(width, height)
    left, top = (width - shorter) // 2, (height - shorter) // 2
    # The square that resizing first and cutting second would give, without resizing what is cut off.
    box = (left, top, left + shorter, top + shorter)
    return image.resize((size, size), Image.Resampling.BILINEAR, box=box)


def _pixels(image: Image.Image, out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """uint8 (C, S, S). PIL keeps a pixel as a word of four bytes; shifting words is quicker than picking each third."""
    channels = 1 if image.mode == "L" else 3
    pixels = np.empty((channels, image.height, image.width), np.uint8) if out is None else out
    if channels == 1:
        pixels[0] = np.asarray(image)
        return pixels
    words = np.frombuffer(image.tobytes("raw", "RGBX"), "<u4").reshape(image.height, image.width)
    for channel in range(3):
        pixels[channel] = words >> 8 * channel  # what is above the lowest byte falls away
    return pixels
