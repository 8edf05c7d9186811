"""Every command, one file a family. Each imports its world only when it runs, so that `sslterm --help` is there at
once."""

from sslterm.cli import changing, evaluating, listing, looking, training
from sslterm.cli.app import app, main

__all__ = ["app", "changing", "evaluating", "listing", "looking", "main", "training"]
