"""What is built without numbers costs nothing: no memory, no draw, no compiler."""

from __future__ import annotations

import os
import subprocess
import sys

from told import TINY

BUILT = """
import sys
from told import FACTS, TINY, encoder_of
from sslterm import presets
from sslterm.methods import find, settings
from sslterm.models.encoders import build_encoder
from sslterm.models.numberless import without_numbers

for name, said in TINY.items():
    checked, problems = settings({"name": name, **said})
    assert not problems, problems
    with without_numbers():
        method = find(name)(build_encoder(presets.Encoder.model_validate(encoder_of(name)), 3), checked, FACTS)
    assert all(weight.is_meta for weight in method.parameters()), name
    print(name, *(heavy for heavy in ("torch._dynamo", "sympy") if heavy in sys.modules))
"""

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def test_no_method_loads_the_compiler() -> None:
    ran = subprocess.run([sys.executable, "-c", BUILT], env=ENVIRONMENT, capture_output=True, text=True)
    assert ran.stdout.split("\n")[:-1] == list(TINY), ran.stderr
