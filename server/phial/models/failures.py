"""What is told when a download fails: what went wrong at which address, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import httpx2

from phial.errors import DownloadError


@dataclass(frozen=True)
class Place:
    """How the place that serves the files is spoken of.

    `refusals` has what an HTTP status means there and what to do then; 0 stands for any other, 500 for
    itself and above. `other_file` is what to do when it serves another file than was published.
    """

    refusals: Mapping[int, tuple[str, str]]
    other_file: str


class Response(Protocol):
    """What is asked of a response: huggingface_hub may bring another edition of the HTTP library than ours."""

    @property
    def status_code(self) -> int: ...

    @property
    def url(self) -> object: ...

    @property
    def headers(self) -> Mapping[str, str]: ...


def status_error(response: Response, place: Place, url: str = "") -> DownloadError:
    """Say what a status means that is no success, and what to do about it; `url` is what was asked for."""
    status = response.status_code
    meaning, advice = place.refusals.get(min(500, status), place.refusals[0])
    if status == 429:
        advice = f"Wait {_pause(response.headers)} and run the same command again."
    return DownloadError(
        f"{shown(url or str(response.url))} {meaning} (HTTP status {status}).", advice=advice
    )


def network_error(error: Exception, url: str) -> DownloadError:
    """Say why a request got no whole answer, and what to do about it."""
    server = shown(url)
    # by name: huggingface_hub may bring another edition of the HTTP library than ours
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return DownloadError(
            f"{server} shows a certificate that is not trusted here.",
            advice="If your network has a certificate authority of its own, set SSL_CERT_FILE to its file.",
        )
    if "ProxyError" in kinds:
        return DownloadError(
            f"The proxy does not let {server} through.", advice="Check HTTPS_PROXY and NO_PROXY."
        )
    if kinds & {"ConnectError", "ConnectTimeout"}:
        return DownloadError(
            f"{server} cannot be reached: there seems to be no network.",
            advice="Connect, or set HTTPS_PROXY if you need a proxy, and run the same command again: "
            "it goes on where it stopped.",
        )
    if "TimeoutException" in kinds:
        return DownloadError(f"{server} stopped sending.")
    return DownloadError(f"The connection to {server} broke ({type(error).__name__}).")


def shown(url: str) -> str:
    """Return a URL as others may see it: without credentials and query."""
    return str(httpx2.URL(url).copy_with(userinfo=b"", query=None, fragment=None))


def _pause(headers: Mapping[str, str]) -> str:
    """Return how long a server wants to be left alone, in words."""
    asked = re.search(r"\bt=(\d+)", headers.get("RateLimit", ""))  # draft-ietf-httpapi-ratelimit-headers
    text = headers.get("Retry-After", "").strip() or (asked[1] if asked else "")
    if not re.fullmatch(r"\d{1,9}", text):
        return "a few minutes"
    seconds = max(1, int(text))
    return f"{seconds} seconds" if seconds < 120 else f"{-(-seconds // 60)} minutes"


_GO_ON = "Run the same command again later: it goes on where it stopped."
REFUSALS = {
    0: ("gave an answer that Phial does not understand", _GO_ON),
    429: ("has had too many requests", ""),
    500: ("has a problem of its own", _GO_ON),
}
"""What a status means wherever files come from."""
