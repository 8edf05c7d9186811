"""`sslterm export`: what was learned, in a file that other programs read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from sslterm.cli.answers import answering, refuse, say
from sslterm.cli.app import RUNS, AsJson, RunArgument, RunsDir, app


@app.command(
    rich_help_panel="Evaluate",
    epilog="Examples: sslterm export last --to encoder.pt · sslterm export moco --checkpoint pretrain-200 "
    "--to moco.safetensors",
)
def export(
    run: RunArgument,
    to: Annotated[Path, typer.Option("--to", metavar="FILE.pt|FILE.safetensors", help="The file that is written.")],
    checkpoint: Annotated[
        str, typer.Option(metavar="best|last|EPOCH|PATH", help="Whose encoder: 40 is epoch 40 of the newest stage.")
    ] = "best",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")] = False,
    runs_dir: RunsDir = RUNS,
    as_json: AsJson = False,
) -> None:
    """Write the encoder alone, its weights as a plain state dict, to a file of its own.

    In torch.load("FILE.pt", weights_only=True), state_dict has torchvision's names for resnets; beside it stand the
    encoder's name, stem and width, the normalisation, and which run and checkpoint it is from. A preset begins with it
    by --set encoder.weights=FILE.pt.
    """
    with answering():
        several = checkpoint == "all" or "," in checkpoint
        refuse(several, f"--checkpoint {checkpoint}: a file holds one encoder; name its checkpoint")
        refuse(to.suffix not in (".pt", ".safetensors"), f"--to {to}: name it FILE.pt, or FILE.safetensors")
        refuse(not to.parent.is_dir(), f"--to {to}: there is no folder {to.parent}")
        refuse(to.is_dir(), f"--to {to}: is a folder; name a file")
        refuse(to.exists() and not force, f"--to {to}: is there already; choose another name, or replace it by --force")
        from sslterm.runs import files, find

        found = find(run, runs_dir)
        from sslterm.engine.export import export as write

        written = write(found, checkpoint, to)
        del written["state_dict"]
        if as_json:
            print(json.dumps({"file": str(to.absolute()), "sha256": files.sha256(to), **written}, indent=1))
            return
        origin, kind = written["origin"], written["encoder"]
        print(to)
        say(f"{kind['name']} ({written['features']} features) of {origin['run']}, {origin['checkpoint']}")
