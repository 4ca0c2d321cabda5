"""`phial serve` and `phial host`: the two processes that others start."""

from __future__ import annotations

import logging
import math
import os
import sys
from functools import partial
from typing import Annotated

import anyio
import typer

from phial.errors import UsageError
from phial.host import loading
from phial.host.prompt_lookup import LONGEST_GUESS
from phial.models import store


def serve() -> None:
    """Run the language server on stdin and stdout: this is what an editor starts.

    Example: `phial serve` as the server's command in the editor's LSP settings.
    """
    # Whatever a library prints must not get into the protocol: it keeps stdout for itself alone.
    protocol_out = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    from phial.lsp.server import run

    raise typer.Exit(anyio.run(run, sys.stdin.buffer, protocol_out))


def host(
    *,
    model: Annotated[str, typer.Option(help="Id of an installed model, or the path of its folder.")] = "",
    device: Annotated[str, typer.Option(help="AUTO, CPU, GPU, GPU.0, NPU.")] = "AUTO",
    backend: Annotated[str, typer.Option(help=f"One of {', '.join(loading.BACKENDS)}.")] = loading.AUTO,
    assistant_tokens: Annotated[
        int,
        typer.Option(
            help="The longest guess from what stands in the text already, in tokens; 0 for none.", min=0
        ),
    ] = LONGEST_GUESS,
    patience: Annotated[
        float, typer.Option(help="Seconds to wait for a first window, 0 for ever.", min=0.0)
    ] = 0.0,
) -> None:
    """Run the model host in the foreground. Editors start it by themselves; one is shared by all windows.

    Example: `phial host --model starter --device CPU`
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    from phial.host import process

    if backend not in loading.BACKENDS:
        raise UsageError(
            f"There is no backend {backend}.", advice=f"Choose one of {', '.join(loading.BACKENDS)}."
        )
    found = store.resolve(model)
    load = partial(loading.load, wanted=loading.Wanted(backend, assistant_tokens))
    anyio.run(partial(process.serve, found, device, patience=patience or math.inf, load=load))
