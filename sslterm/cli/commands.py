"""All commands together: importing a family registers its commands."""

from sslterm.cli import benching, changing, evaluating, listing, looking, training, tui
from sslterm.cli.app import app

__all__ = ["app", "benching", "changing", "evaluating", "listing", "looking", "training", "tui"]
