"""Which data sets are here, and what their decoded copies take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sslterm.doctor.finding import Finding, counted, gib, good, note


def sets(data_dir: Path) -> Iterator[Finding]:
    """Which can be opened without network. None of the others is missing until somebody wants it."""
    from sslterm.data.catalog import KNOWN, present

    here = {name: present(name, data_dir) for name in KNOWN if name != "image_folder"}
    found = ", ".join(name for name, there in here.items() if there)
    others = ", ".join(name for name, there in here.items() if not there)
    text = f"in {data_dir} or made by code: {found}"
    yield good("data", f"{text}; fetched when first wanted, or by sslterm data NAME: {others}" if others else text)


def caches(data_dir: Path) -> Iterator[Finding]:
    """Decoded images, kept from earlier runs."""
    from sslterm.data.cache import homes

    for home in homes(data_dir):
        if not home.is_dir():
            continue
        whole = [folder for folder in home.iterdir() if (folder / "meta.json").is_file() and folder.suffix != ".part"]
        if whole:
            size = sum(file.stat().st_size for folder in whole for file in folder.iterdir() if file.is_file())
            yield good("data", f"{counted(len(whole), 'decoded data set')} in {home}: {gib(size)}, and safe to delete")
        torn = [folder for folder in home.glob("*.part") if folder.is_dir()]
        if torn:
            text = f"{counted(len(torn), 'decoded data set')} in {home} half made, by now or by a process that died"
            yield note("data", text, "unless one is being made now, delete the folders that end in .part")
