"""Fetch one big file of known size and SHA-256 over HTTP, going on where the last try stopped."""

from __future__ import annotations

import errno
import hashlib
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2

from phial.errors import ChecksumMismatch, DiskFull, DownloadError
from phial.models import manifest

RETRY_PAUSES = (0.5, 1.0, 2.0, 4.0)


def fetch(
    url: str,
    target: Path,
    *,
    size: int,
    sha256: str,
    progress: Callable[[int, int], None],
    client: httpx2.Client,
    retry_pauses: Sequence[float] = RETRY_PAUSES,
) -> None:
    """Download to `target` by way of `<target>.part`, which stays for the next run when this one fails.

    `progress` gets the bytes so far and `size`. A cut connection is tried again after each of `retry_pauses`
    (seconds), counted anew whenever bytes came. The caller sees to it that nobody else writes the same
    target, and gives the client its timeouts. Raises DownloadError, ChecksumMismatch or DiskFull.
    """
    if is_fetched(target, sha256):
        progress(size, size)
        return
    part = target.with_name(f"{target.name}.part")
    with full_disk_told(target.parent), closing(_Body(part)) as body:
        if body.done > size:
            body.restart()
        require_space(target.parent, size - body.done)
        progress(body.done, size)
        _receive_all(url, body, size=size, progress=progress, client=client, retry_pauses=retry_pauses)
    if body.done > size or body.sha256() != sha256:
        part.unlink()
        raise ChecksumMismatch(f"{shown(url)} is not the file that was published.")
    part.replace(target)


def is_fetched(target: Path, sha256: str) -> bool:
    """Tell whether the whole file is there."""
    return target.is_file() and manifest.sha256(target) == sha256


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


def status_error(response: httpx2.Response) -> DownloadError:
    """Say what a status means that is no success, and what to do about it."""
    status = response.status_code
    meaning, advice = _STATUS.get(min(500, status), _STATUS[0])
    return DownloadError(f"{shown(str(response.url))} {meaning} (HTTP status {status}).", advice=advice)


def network_error(error: httpx2.RequestError, url: str) -> DownloadError:
    """Say why a request got no whole answer, and what to do about it."""
    place = shown(url)
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return DownloadError(
            f"{place} shows a certificate that is not trusted here.",
            advice="If your network has a certificate authority of its own, set SSL_CERT_FILE to its file.",
        )
    if isinstance(error, httpx2.ProxyError):
        return DownloadError(
            f"The proxy does not let {place} through.", advice="Check HTTPS_PROXY and NO_PROXY."
        )
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return DownloadError(
            f"{place} cannot be reached: there seems to be no network.",
            advice="Connect, or set HTTPS_PROXY if you need a proxy, and run the same command again: "
            "it goes on where it stopped.",
        )
    if isinstance(error, httpx2.TimeoutException):
        return DownloadError(f"{place} stopped sending.")
    return DownloadError(f"The connection to {place} broke ({type(error).__name__}).")


def shown(url: str) -> str:
    """Return a URL as others may see it: without credentials and query."""
    return str(httpx2.URL(url).copy_with(userinfo=b"", query=None, fragment=None))


class _Body:
    """What has arrived so far: the file, its length `done` and its digest agree at any time."""

    def __init__(self, part: Path) -> None:
        self._file = part.open("r+b" if part.exists() else "w+b")
        self._digest = hashlib.sha256()
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
            self._digest = hashlib.sha256()
            self.done = 0

    def sha256(self) -> str:
        return self._digest.hexdigest()

    def close(self) -> None:
        self._file.close()


def _receive_all(
    url: str,
    body: _Body,
    *,
    size: int,
    progress: Callable[[int, int], None],
    client: httpx2.Client,
    retry_pauses: Sequence[float],
) -> None:
    start = furthest = body.done
    pauses = iter(retry_pauses)
    while body.done < size:
        cause: httpx2.RequestError | None = None
        try:
            _receive(url, body, size, progress, client)
        except httpx2.RequestError as error:
            cause = error
        if body.done >= size:
            return
        if body.done > furthest:
            furthest, pauses = body.done, iter(retry_pauses)
        pause = next(pauses, None)
        if pause is None or (furthest == start and isinstance(cause, _HOPELESS)):
            broken = DownloadError(f"The connection to {shown(url)} broke.")
            raise (network_error(cause, url) if cause else broken) from cause
        time.sleep(pause)


def _receive(
    url: str, body: _Body, size: int, progress: Callable[[int, int], None], client: httpx2.Client
) -> None:
    # the raw bytes are counted and hashed: a content encoding would not go with ranges
    headers = {"Accept-Encoding": "identity"}
    if body.done:
        headers["Range"] = f"bytes={body.done}-"
    with client.stream("GET", url, headers=headers, follow_redirects=True) as response:
        if not _fits(response, body, size):
            body.restart()
            return
        for chunk in response.iter_raw():
            body.append(chunk)
            progress(min(body.done, size), size)
            if body.done > size:
                return


def _fits(response: httpx2.Response, body: _Body, size: int) -> bool:
    """Tell whether the answer's bytes belong at the end of the body; if not, all of it is asked for again."""
    if response.status_code == 200:
        length = response.headers.get("Content-Length", str(size))
        if length != str(size):
            raise ChecksumMismatch(
                f"{shown(str(response.url))} is another file: it has {length} bytes, not {size}.",
                advice="A sign-in page may stand in the way, or your package index serves another file. "
                "Look there, then run the same command again.",
            )
        body.restart()
        return True
    if not body.done or response.status_code not in {206, 416}:
        raise status_error(response)
    content_range = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if response.status_code == 416 or content_range is None:
        return False
    return int(content_range[1]) == body.done and content_range[2] in {str(size), "*"}


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
_GO_ON = "Run the same command again later: it goes on where it stopped."
_SIGN_IN = (
    "Check your user name and password for it (a package index has them in PIP_INDEX_URL), then try again."
)
_STATUS = {
    0: ("gave an answer that Phial does not understand", _GO_ON),
    401: ("asks for a user name and password", _SIGN_IN),
    403: ("does not allow the download", _SIGN_IN),
    404: ("does not exist", "Check which package index pip uses: `python -m pip config list`."),
    429: ("has had too many requests", "Wait a few minutes and run the same command again."),
    500: ("has a problem of its own", _GO_ON),
}
