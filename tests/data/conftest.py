"""Small real image files for the tests of data."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def write(path: Path, seed: int = 0, size: tuple[int, int] = (12, 12), mode: str = "RGB") -> Path:
    """A noisy image, `size` = (width, height), in a folder that is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(noise).convert(mode).save(path)
    return path


@pytest.fixture
def class_folders(tmp_path: Path) -> Path:
    """`photos/{train,test}/{cat,dog,eel}`: 6 training and 2 test images of each, 12x12, PNG and JPEG."""
    for part, count in (("train", 6), ("test", 2)):
        for number, label in enumerate(("cat", "dog", "eel")):
            for i in range(count):
                ending = "png" if i % 2 else "jpg"
                write(tmp_path / "photos" / part / label / f"{i}.{ending}", seed=100 * number + i + 10 * len(part))
    return tmp_path / "photos"
