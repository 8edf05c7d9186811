"""sslterm: run self-supervised image-learning experiments from a terminal."""

__version__ = "0.1.0"
