"""All commands together: importing a family registers its commands."""

from sslterm.cli import benching, changing, evaluating, exporting, listing, looking, pictures, training, tui
from sslterm.cli.app import app

__all__ = [
    "app", "benching", "changing", "evaluating", "exporting", "listing", "looking", "pictures", "training", "tui",
]  # fmt: skip
