"""The processes that tests start: their environment, who they are, and when they have ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import anyio.to_thread
import psutil

PHIAL = (sys.executable, "-m", "phial")

HEAVY = {"torch", "transformers", "optimum", "openvino", "openvino_genai", "openvino_tokenizers", "numpy"}
"""Modules that a language server never imports."""

LARGEST_SERVER = 120 * 1_000_000
"""Bytes of memory that a language server may take."""

_TELLING_MODULES = """
import atexit, sys
modules = sys.argv[1]
atexit.register(lambda: open(modules, "w").write("\\n".join(sorted(sys.modules))))
sys.argv = ["phial", "serve"]
from phial.cli import main
main()
"""


def serve_telling_modules(file: Path) -> tuple[str, ...]:
    """Return the command of a language server that writes to a file, at its end, all modules it has imported."""
    return (sys.executable, "-c", _TELLING_MODULES, str(file))


def with_sitecustomize(folder: Path, code: str) -> dict[str, str]:
    """Return the environment in which every Python runs this code as it starts."""
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Run some Python in a process of its own, as one more window would; read its stdout."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=Path(sys.executable).parent,
    )


async def output(process: subprocess.Popen[str]) -> str:
    """Wait for the end of a process and return what it printed."""
    printed, _ = await anyio.to_thread.run_sync(process.communicate)
    return str(printed)


def hosts_in(home: Path) -> list[psutil.Process]:
    """Return the model hosts that run with this PHIAL_HOME, by their command lines."""
    return [process for process in psutil.process_iter() if _is_host(process, home)]


async def ended(process: psutil.Process) -> None:
    """Wait until a process has ended. Raises `psutil.TimeoutExpired` after 30 seconds."""
    await anyio.to_thread.run_sync(process.wait, 30)


def remote_addresses(process: psutil.Process) -> set[str]:
    """Return the addresses that a process is connected to or listens on."""
    return {
        address.ip
        for connection in process.net_connections("inet")
        for address in (connection.laddr, connection.raddr)
        if address
    }


def _is_host(process: psutil.Process, home: Path) -> bool:
    try:
        return process.cmdline()[1:4] == ["-m", "phial", "host"] and process.environ().get(
            "PHIAL_HOME"
        ) == str(home)
    except psutil.Error:  # it has ended meanwhile, or is another user's
        return False
