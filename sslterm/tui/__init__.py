"""The eyes: a laboratory in a terminal. Never imports torch."""
