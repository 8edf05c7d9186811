"""What methods are told of images that no test has to draw."""

from sslterm.methods import Facts

FACTS = Facts(classes=10, images=64, channels=3, size=32, mean=(0.5, 0.4, 0.3), std=(0.25, 0.2, 0.15))
