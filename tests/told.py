"""Every method in its smallest form, and what methods are told of images that no test has to draw."""

from __future__ import annotations

from typing import Any

from sslterm.methods import Facts

FACTS = Facts(classes=10, images=64, channels=3, size=32, mean=(0.5, 0.4, 0.3), std=(0.25, 0.2, 0.15))
TINY: dict[str, dict[str, Any]] = {
    "supervised": {},
    "rotation": {},
    "simclr": {},
    "moco": {"queue": 64, "bn_splits": 2, "symmetric": True, "projector": "mlp"},
    "byol": {"hidden_dim": 32, "projection_dim": 16},
    "simsiam": {"hidden_dim": 32, "projection_dim": 16, "predictor_dim": 8},
    "barlow_twins": {"hidden_dim": 32, "projection_dim": 16},
    "vicreg": {"hidden_dim": 32, "projection_dim": 16},
    "nnclr": {"queue": 64, "hidden_dim": 32, "projection_dim": 16, "predictor_dim": 8},
    "swav": {"prototypes": 12, "queue": 64, "frozen": 3, "hidden_dim": 32, "projection_dim": 16},
    "dino": {"prototypes": 12, "hidden_dim": 32, "bottleneck_dim": 16, "frozen": 3, "teacher_temperature_warmup": 9},
    "deepcluster": {"clusters": 12, "hidden_dim": 32, "projection_dim": 16},
    "mae": {"decoder_width": 32, "decoder_depth": 1, "decoder_heads": 2},
    "tokenizer": {"codes": 24, "code_dim": 8, "width": 16},
    "beit": {"codes": 24, "code_dim": 8, "width": 16, "block": 3},
    "simmim": {"mask_patch": 8},
    "vae": {"kl_warmup": 0.5, "decoder_dim": 8},
    "gan": {"latent_dim": 8, "generator_dim": 8},
}
"""What `[method]` says, beside the name, for batches of 8 and of 32."""
ENCODERS: dict[str, dict[str, Any]] = {
    "mae": {"name": "vit-micro"},
    "tokenizer": {"name": "vit-micro"},
    "beit": {"name": "vit-micro"},
    "simmim": {"name": "vit-micro"},
    "vae": {"name": "tinyvgg-bn", "features": 12},
}
"""Of methods that cannot do with the small network of all others."""


def encoder_of(method: str) -> dict[str, Any]:
    """What `[encoder]` says."""
    return ENCODERS.get(method, {"name": "tinyvgg-bn"})
