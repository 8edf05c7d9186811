"""Which parts are seen together: all where there is room, else a page at a time."""

from __future__ import annotations

from typing import NamedTuple

PARTS = ("scores", "matrix", "classes", "reliability", "epochs")
"""All parts, in the order that tab goes through them."""
WORDS = {
    "scores": "figures", "matrix": "confusion", "classes": "classes", "reliability": "reliability",
    "epochs": "over epochs",
}  # fmt: skip
CONTAINERS = {
    "first": frozenset({"scores", "matrix"}),
    "rest": frozenset({"classes", "reliability", "epochs"}),
    "more": frozenset({"reliability", "epochs"}),
}
"""Which parts stand together."""


class Layout(NamedTuple):
    """The CSS class of the screen, and the parts by page."""

    name: str
    pages: tuple[tuple[str, ...], ...]
    answers: bool
    """Whether the list of questions has room beside the page."""

    def page_of(self, part: str) -> int:
        """The page that a part is on."""
        return next((place for place, parts in enumerate(self.pages) if part in parts), 0)


def layout(width: int, height: int) -> Layout:
    """What fits a screen of this size."""
    if width >= 120 and height >= 34:
        return Layout("-columns" if width >= 180 else "-halves", (PARTS,), True)
    if width >= 76:
        return Layout("-pages", (("scores", "matrix"), ("classes",), ("reliability", "epochs")), width >= 120)
    return Layout("-single", tuple((part,) for part in PARTS), False)


def title(parts: tuple[str, ...]) -> str:
    """What a page is called."""
    return " + ".join(WORDS[part] for part in parts)


ALL = ("-columns", "-halves", "-pages", "-single")
