"""Run optimum's command line for as long as whoever started it lives: `python -m phial.models.optimum_cli ARGUMENTS`."""

from __future__ import annotations

import os
import runpy
import sys
import threading


def main() -> None:
    """Run it as `python -m` would, but without telling anybody.

    OpenVINO, NNCF and optimum-intel report each import, conversion and compression to Google Analytics, unless
    this package is not installed: then they say nothing.
    """
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    threading.Thread(target=_end_with_starter, daemon=True).start()
    runpy.run_module("optimum.commands.optimum_cli", run_name="__main__", alter_sys=True)


def _end_with_starter() -> None:
    """End this process when stdin does: it is a pipe that the starter holds, and never writes to."""
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
