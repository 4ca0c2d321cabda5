"""Where Phial keeps things: models, running hosts, logs.

`PHIAL_HOME` puts them all below one folder; otherwise each stands where the platform wants it.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def models_folder() -> Path:
    """Return the folder with one folder per installed model."""
    return _created(_home("models") or Path(platformdirs.user_data_path("phial", appauthor=False)) / "models")


def hosts_folder() -> Path:
    """Return the folder with the address of each running host, readable by its user only."""
    folder = _created(
        _home("hosts") or Path(platformdirs.user_state_path("phial", appauthor=False)) / "hosts"
    )
    folder.chmod(0o700)
    return folder


def logs_folder() -> Path:
    """Return the folder with the log of each host."""
    return _created(_home("logs") or Path(platformdirs.user_log_path("phial", appauthor=False)))


def bench_folder() -> Path:
    """Return the folder with what others are measured on."""
    return _created(_home("bench") or Path(platformdirs.user_cache_path("phial", appauthor=False)) / "bench")


def _home(name: str) -> Path | None:
    home = os.environ.get("PHIAL_HOME")
    return Path(home).expanduser().resolve() / name if home else None


def _created(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
