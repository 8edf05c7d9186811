"""The themes: four that every terminal can show, under plain names, and all of Textual's under its own."""

from __future__ import annotations

from collections.abc import Collection

from textual.theme import Theme

HIGH_CONTRAST = Theme(
    name="high-contrast",
    primary="#5fd7ff",
    secondary="#ffd75f",
    warning="#ffd700",
    error="#ff8787",
    success="#5fff87",
    accent="#ffff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#262626",
    boost="#1c1c1c",
    dark=True,
    text_alpha=1.0,
    luminosity_spread=0.0,
    variables={
        "block-cursor-background": "#ffff00",
        "block-cursor-foreground": "#000000",
        "block-cursor-text-style": "bold",
        "footer-key-foreground": "#ffff00",
        "text-muted": "#d0d0d0",
        "text-disabled": "#b0b0b0",
    },
)
"""White on black; every colour has at least 7:1 against the background (WCAG 2.1, 1.4.6)."""

PLAIN = {"dark": "textual-dark", "light": "textual-light", "ansi": "ansi-dark", "high-contrast": "high-contrast"}
"""What people call them; `ansi` takes the sixteen colours that the terminal is set to."""


def named(name: str, there: Collection[str]) -> str | None:
    """The theme that a name means, among those that there are; None where there is none."""
    wanted = PLAIN.get(name, name)
    return wanted if wanted in there else None


def after(current: str) -> str:
    """The next of the four."""
    names = list(PLAIN.values())
    return names[(names.index(current) + 1) % len(names)] if current in names else names[0]
