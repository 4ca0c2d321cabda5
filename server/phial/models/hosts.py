"""Which running host serves a model's folder."""

from __future__ import annotations

from pathlib import Path

from filelock import Timeout

from phial import folders
from phial.address import HostAddress, HostFiles


def serving(folder: Path) -> str | None:
    """Return how to speak of the host that has a model's folder open, or None where there is none."""
    for device in sorted(_DEVICES | _devices_in_use()):
        files = HostFiles.of(folder, device)
        if _is_alive(files):
            address = files.read()
            return f"process {address.pid}" if address else "a host that is just starting"
    return None


_DEVICES = {"AUTO", "CPU", "GPU", "NPU"}


def _devices_in_use() -> set[str]:
    addresses = [HostAddress.read(file) for file in folders.hosts_folder().glob("host-*.json")]
    return {address.device for address in addresses if address}


def _is_alive(files: HostFiles) -> bool:
    lock = files.alive()
    if not Path(lock.lock_file).exists():
        return False
    try:
        with lock.acquire(timeout=0):
            return False
    except Timeout:
        return True
