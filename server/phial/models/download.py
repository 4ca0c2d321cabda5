"""Fetch one file of known size and checksum over HTTP, going on where the last try stopped."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx2

from phial.errors import ChecksumMismatch, DiskFull, DownloadError
from phial.models.failures import Place, network_error, shown, status_error

RETRY_PAUSES = (0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Checksum:
    """What the bytes of a file add up to, in hexadecimal; `header` is hashed before them."""

    algorithm: Literal["sha1", "sha256"]
    digest: str
    header: bytes = b""

    @classmethod
    def sha256(cls, digest: str) -> Checksum:
        """Compare with the file's own SHA-256."""
        return cls("sha256", digest)

    @classmethod
    def git_blob(cls, digest: str, size: int) -> Checksum:
        """Compare with the name that git gives to the file's content."""
        return cls("sha1", digest, b"blob %d\0" % size)

    def begin(self) -> Any:
        """Return a hash to update with the file's bytes."""
        return hashlib.new(self.algorithm, self.header, usedforsecurity=False)


def fetch(
    url: str,
    target: Path,
    *,
    size: int,
    checksum: Checksum,
    place: Place,
    progress: Callable[[int, int], None],
    client: httpx2.Client,
    retry_pauses: Sequence[float] = RETRY_PAUSES,
) -> None:
    """Download to `target` by way of `<target>.part`, which stays for the next run when this one fails.

    `progress` gets the bytes so far and `size`. A cut connection is tried again after each of `retry_pauses`
    (seconds), counted anew whenever bytes came. The caller sees to it that nobody else writes the same
    target, and gives the client its timeouts. Raises DownloadError, ChecksumMismatch or DiskFull.
    """
    if is_fetched(target, checksum):
        progress(size, size)
        return
    part = part_of(target)
    with full_disk_told(target.parent), closing(_Body(part, checksum)) as body:
        if body.done > size:
            body.restart()
        require_space(target.parent, size - body.done)
        progress(body.done, size)
        request = _Request(url, size, place, client)
        _receive_all(request, body, progress=progress, retry_pauses=retry_pauses)
        body.sync()
    if body.done > size or body.digest() != checksum.digest:
        part.unlink()
        raise ChecksumMismatch(f"{shown(url)} is not the file that was published.", advice=place.other_file)
    part.replace(target)


def is_fetched(target: Path, checksum: Checksum) -> bool:
    """Tell whether the whole file is there."""
    if not target.is_file():
        return False
    found = checksum.begin()
    with target.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            found.update(chunk)
    return bool(found.hexdigest() == checksum.digest)


def part_of(target: Path) -> Path:
    """Return the file that holds what has arrived of a target so far."""
    return target.with_name(f"{target.name}.part")


def require_space(folder: Path, needed: int) -> None:
    """Raise DiskFull unless `needed` bytes are free where the folder is."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFull(f"{folder} needs {_megabytes(needed)} of free space and has {_megabytes(free)}.")


@contextmanager
def full_disk_told(folder: Path) -> Iterator[None]:
    """Turn the error of a disk that fills up while it is written to into DiskFull."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        free = _megabytes(shutil.disk_usage(folder).free)
        raise DiskFull(f"The disk is full: {folder} has {free} left.") from error


class _Body:
    """What has arrived so far: the file, its length `done` and its digest agree at any time."""

    def __init__(self, part: Path, checksum: Checksum) -> None:
        self._file = part.open("r+b" if part.exists() else "w+b")
        self._checksum = checksum
        self._digest = checksum.begin()
        self.done = 0
        length = part.stat().st_size
        while self.done < length:
            chunk = self._file.read(min(1 << 20, length - self.done))
            self._digest.update(chunk)
            self.done += len(chunk)
        self._file.seek(self.done)

    def append(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._digest.update(chunk)
        self.done += len(chunk)

    def restart(self) -> None:
        if self.done:
            self._file.seek(0)
            self._file.truncate()
            self._digest = self._checksum.begin()
            self.done = 0

    def digest(self) -> str:
        return str(self._digest.hexdigest())

    def sync(self) -> None:
        """Wait until the disk has it all: a power cut must not leave a whole file without its bytes."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


@dataclass(frozen=True)
class _Request:
    url: str
    size: int
    place: Place
    client: httpx2.Client


def _receive_all(
    request: _Request, body: _Body, *, progress: Callable[[int, int], None], retry_pauses: Sequence[float]
) -> None:
    start = furthest = body.done
    pauses = iter(retry_pauses)
    while body.done < request.size:
        cause: httpx2.RequestError | None = None
        try:
            _receive(request, body, progress)
        except httpx2.RequestError as error:
            cause = error
        if body.done >= request.size:
            return
        if body.done > furthest:
            furthest, pauses = body.done, iter(retry_pauses)
        pause = next(pauses, None)
        if pause is None or (furthest == start and isinstance(cause, _HOPELESS)):
            broken = DownloadError(f"The connection to {shown(request.url)} broke.")
            raise (network_error(cause, request.url) if cause else broken) from cause
        time.sleep(pause)


def _receive(request: _Request, body: _Body, progress: Callable[[int, int], None]) -> None:
    # the raw bytes are counted and hashed: a content encoding would not go with ranges
    headers = {"Accept-Encoding": "identity"}
    if body.done:
        headers["Range"] = f"bytes={body.done}-"
    with request.client.stream("GET", request.url, headers=headers, follow_redirects=True) as response:
        if not _fits(response, request, body):
            body.restart()
            return
        for chunk in response.iter_raw():
            body.append(chunk)
            progress(min(body.done, request.size), request.size)
            if body.done > request.size:
                return


def _fits(response: httpx2.Response, request: _Request, body: _Body) -> bool:
    """Tell whether the answer's bytes belong at the end of the body; if not, all of it is asked for again."""
    if response.status_code == 200:
        length = response.headers.get("Content-Length", str(request.size))
        if length != str(request.size):
            raise ChecksumMismatch(
                f"{shown(str(response.url))} is another file: it has {length} bytes, not {request.size}.",
                advice=f"A sign-in page may stand in the way. {request.place.other_file}",
            )
        body.restart()
        return True
    if not body.done or response.status_code not in {206, 416}:
        raise status_error(response, request.place)
    content_range = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if response.status_code == 416 or content_range is None:
        return False
    return int(content_range[1]) == body.done and content_range[2] in {str(request.size), "*"}


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"


_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_HOPELESS = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.TooManyRedirects,
)
