"""Where a running model host can be reached: a small file that only its user can read.

The host writes it once it listens; windows read it. Two locks stand beside it: the host holds
`.alive` for as long as it lives, so a file without a holder is stale whatever pid stands in it;
a window holds `.starting` while it starts a host, so that only one does.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from filelock import FileLock

from phial import folders


@dataclass(frozen=True)
class HostAddress:
    """A host that listens on 127.0.0.1 and answers whoever knows its token."""

    port: int
    token: str = field(repr=False)
    pid: int
    version: str
    model: str
    device: str

    @classmethod
    def read(cls, file: Path) -> HostAddress | None:
        """Read an address; None where there is none, or none that can be understood."""
        try:
            address = cls(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return address if address._is_sound() else None

    @property
    def url(self) -> str:
        """The address of its HTTP API."""
        return f"http://127.0.0.1:{self.port}"

    def _is_sound(self) -> bool:
        texts = (self.token, self.version, self.model, self.device)
        numbers = (self.port, self.pid)
        return (
            all(type(text) is str for text in texts)
            and all(type(number) is int for number in numbers)
            and 0 < self.port < 1 << 16
        )


@dataclass(frozen=True)
class HostFiles:
    """The files of the one host for a model folder on a device."""

    stem: Path

    @classmethod
    def of(cls, model: Path, device: str) -> HostFiles:
        """Name the files after the model's folder and the device."""
        name = hashlib.sha256(f"{model.resolve()}\n{device}".encode()).hexdigest()[:16]
        return cls(folders.hosts_folder() / f"host-{name}")

    @property
    def address(self) -> Path:
        """The file with the address."""
        return self.stem.with_suffix(".json")

    @property
    def log(self) -> Path:
        """The file that a host in the background writes its log to."""
        return folders.logs_folder() / f"{self.stem.name}.log"

    def alive(self) -> FileLock:
        """Return the lock that a host holds while it lives."""
        return FileLock(self.stem.with_suffix(".alive"), thread_local=False)

    def starting(self) -> FileLock:
        """Return the lock that a window holds while it starts a host."""
        return FileLock(self.stem.with_suffix(".starting"), thread_local=False)

    def read(self) -> HostAddress | None:
        """Read the address; None where there is none, or none that can be understood."""
        return HostAddress.read(self.address)

    def write(self, address: HostAddress) -> None:
        """Write the address at once and whole, readable by this user only."""
        draft = self.stem.with_suffix(f".{os.getpid()}.draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(address), file)
        draft.replace(self.address)

    def forget(self) -> None:
        """Remove the address."""
        self.address.unlink(missing_ok=True)
