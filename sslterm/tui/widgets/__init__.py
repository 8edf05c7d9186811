"""Widgets: each carries its own looks and messages, and knows no screen and no app."""
