"""What the folders of a data set mean: `{train,test}/<class>/`, `<class>/`, or flat without classes.

- Class folders are the sub-folders that hold images at any depth; other files and hidden ones are passed over.
- Images beside class folders have no label (-1) and belong to training. A single class says nothing, so it is none.
- With `train/`, the test images are those of `test/`, else of `val/`; where there are both, images of `val/` join the
  training images, because `data.valid` is drawn from those. These folders have other names too, in any case.
- What would silently be read as something else than was meant is refused, with the sentence that says what to do.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from sslterm.data import decode
from sslterm.data.catalog import DataError

ByFolder = dict[str, list[str]]
"""Paths below the root by the name of a folder, sorted; under UNLABELLED those in none."""
UNLABELLED = ""
SPLITS = {
    "train": "train", "training": "train", "test": "test", "testing": "test",
    "val": "val", "valid": "val", "validation": "val",
}  # fmt: skip


def training_and_test(root: Path, key: str) -> tuple[ByFolder, ByFolder]:
    """Training and test images by class. Raises DataError about `key`, and OSError for a folder that cannot be read."""
    files = sorted(_images(root))
    folders = _by_folder(files)
    parts = _splits(folders)
    if not parts:
        _refuse_a_level_too_many(root, files, key)
        return folders, {}

    _refuse_what_is_beside_the_splits(root, folders, parts, key)
    train, test, valid = (_merged(folders[name] for name in parts.get(part, [])) for part in ("train", "test", "val"))
    for name in parts["train"]:
        _refuse_a_level_too_many(root, folders[name], key, depth=1)
    if not test:
        return train, valid
    return {label: sorted(train.get(label, []) + valid.get(label, [])) for label in train | valid}, test


# ---------------------------------------------------------------- reading


def _images(root: Path, below: str = "", above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[str]:
    """Paths below the root. A link to a folder that it lies in itself is passed over: it would never end."""
    status = os.stat(root / below)
    here = (status.st_dev, status.st_ino)
    if here in above:
        return
    with os.scandir(root / below) as entries:
        for entry in entries:
            path = os.path.join(below, entry.name)
            if entry.name.startswith("."):
                continue
            # A broken link is no folder; asking the entry itself would raise for a link to itself.
            if os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir():
                yield from _images(root, path, above | {here})
            elif os.path.splitext(entry.name)[1].lower() in decode.ENDINGS:
                yield path


def _by_folder(files: Iterable[str], depth: int = 0) -> ByFolder:
    """By the name of the folder that lies `depth` folders below the root."""
    found: ByFolder = defaultdict(list)
    for file in files:
        names = file.split(os.sep, depth + 1)
        found[names[depth] if len(names) > depth + 1 else UNLABELLED].append(file)
    return dict(found)


def _merged(parts: Iterable[list[str]]) -> ByFolder:
    """By class, of all folders of one split."""
    return _by_folder(sorted(file for files in parts for file in files), 1)


def _splits(folders: Iterable[str]) -> dict[str, list[str]]:
    """Those that are named as a split, by split."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in sorted(folders):
        if name.lower() in SPLITS:
            found[SPLITS[name.lower()]].append(name)
    return dict(found)


# ---------------------------------------------------------------- refusing


def _refuse_what_is_beside_the_splits(root: Path, folders: ByFolder, parts: dict[str, list[str]], key: str) -> None:
    """Test images without training images, and folders of images that are neither."""
    named = _listed(name for names in parts.values() for name in names)
    if "train" not in parts:
        raise DataError(
            f"{root} holds {named}, but no train; put the training images into {root / 'train'}, "
            "or rename these folders if they are classes",
            key,
        )
    others = sorted(folders.keys() - {UNLABELLED} - {name for names in parts.values() for name in names})
    if others:
        raise DataError(
            f"{root} holds images in {_listed(others)} beside {named}; move them into {parts['train'][0]} or away, "
            f"or rename {named} if these are classes",
            key,
        )


def _refuse_a_level_too_many(root: Path, files: Iterable[str], key: str, depth: int = 0) -> None:
    """Class folders that lie in the only folder there is, and splits that lie in the class folders.

    `depth`: 0 where the class folders should lie in the root, 1 where in `train`.
    """
    folders = _by_folder(files, depth)
    if len(folders) == 1 and UNLABELLED not in folders:
        _refuse_an_only_folder_of_folders(root, next(iter(folders.values())), key, depth)
    for label in sorted(folders.keys() - {UNLABELLED}):
        parts = _splits(_by_folder(folders[label], depth + 1))
        if "train" in parts and len(parts) > 1:
            inner = _listed(name for names in parts.values() for name in names)
            raise DataError(
                f"{root} holds {inner} within the class {label}; "
                f"it should be the other way round, as in {parts['train'][0]}/{label}",
                key,
            )


def _refuse_an_only_folder_of_folders(root: Path, files: list[str], key: str, depth: int) -> None:
    meant = depth
    while True:
        folder = Path(*Path(files[0]).parts[: meant + 1])
        inner = _by_folder(files, meant + 1)
        if len(inner.keys() - {UNLABELLED}) > 1:
            break
        if UNLABELLED in inner:
            return  # images without classes, one level down
        meant += 1
    above = root / Path(*folder.parts[:depth])
    remedy = f"move them into {above}" if depth else f"name {root / folder} instead"
    raise DataError(
        f"{above} holds only {Path(*folder.parts[depth:])}, in which {_listed(inner)} lie; "
        f"if these are the classes (or train and test), {remedy}",
        key,
    )


def _listed(names: Iterable[str]) -> str:
    """Three of them, in words."""
    named = sorted(name for name in names if name != UNLABELLED)
    if len(named) > 3:
        return f"{', '.join(named[:3])} and {len(named) - 3} more"
    return " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))
