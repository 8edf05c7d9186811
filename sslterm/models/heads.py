"""Heads: the small networks that help an encoder learn and are thrown away: projector -> z, predictor -> p.

Methods differ in where batch norm stands, and the papers show that it matters; so each says it in its own words:

    mlp(512, 128)                                                     one linear layer
    mlp(512, 512, 128)                                                MoCo v2: no batch norm
    mlp(512, 4096, 256, hidden_norm=True)                             BYOL: on the hidden layer only
    mlp(512, 512, 128, hidden_norm=True, last_norm="affine")          SimCLR: on both
    mlp(512, 2048, 2048, hidden_norm=True, last_norm="plain")         SimSiam: on both, the last without weights
    mlp(512, 2048, 2048, 256, gelu=True)                              DINO: none, and GELU instead of ReLU
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from torch import nn


def mlp(
    *widths: int,
    hidden_norm: bool = False,
    last_norm: Literal["none", "affine", "plain"] = "none",
    gelu: bool = False,
) -> nn.Sequential:
    """Linear layers between `widths`, ReLU or GELU between them: float (B, widths[0]) -> (B, widths[-1]).

    Batch norm comes between a linear layer and its ReLU. A linear layer before batch norm has no bias: the mean that
    batch norm takes away would take it too.
    """
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(widths[:-1]):
        layers.append(nn.Linear(wide, narrow, bias=not hidden_norm))
        if hidden_norm:
            layers.append(nn.BatchNorm1d(narrow))
        layers.append(nn.GELU() if gelu else nn.ReLU(inplace=True))
    layers.append(nn.Linear(widths[-2], widths[-1], bias=last_norm == "none"))
    if last_norm != "none":
        layers.append(nn.BatchNorm1d(widths[-1], affine=last_norm == "affine"))
    return nn.Sequential(*layers)
