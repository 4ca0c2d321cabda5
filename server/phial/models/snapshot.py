"""What a repository on the Hugging Face hub holds, as of one commit.

`huggingface_hub` knows where the hub is and who asks: HF_ENDPOINT, HF_TOKEN or a saved login, proxies and
certificates are its business.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx2

from phial import __version__
from phial.errors import DownloadError
from phial.models.download import RETRY_PAUSES, Checksum
from phial.models.failures import REFUSALS, Place, network_error, status_error

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo, RepoSibling


@dataclass(frozen=True)
class Patience:
    """Seconds to wait for an answer or for more of it, and before each new try of a broken download."""

    answer: float = 30.0
    pauses: Sequence[float] = RETRY_PAUSES


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch; `size` in bytes."""

    name: str
    url: str
    size: int
    checksum: Checksum


@dataclass(frozen=True)
class Snapshot:
    """The files that are needed, the smallest first, and the headers to ask the hub for them with."""

    repository: str
    commit: str
    files: tuple[RemoteFile, ...]
    headers: dict[str, str] = field(repr=False)

    @property
    def origin(self) -> str:
        """What a manifest calls it."""
        return f"{self.repository}@{self.commit}"


def find(
    repository: str, is_needed: Callable[[str], object], patience: Patience, revision: str = "main"
) -> Snapshot:
    """Ask the hub which commit a revision means, and for the size and checksum of each file that is needed.

    Files in folders are passed over. Raises DownloadError.
    """
    endpoint = _endpoint()
    # read when the library is imported: without it, it asks the hub how to tell who runs it, and tells
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from huggingface_hub import HfApi, close_session, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined] # it is documented

    agent = {"user-agent": f"phial/{__version__}"}
    hub = HfApi(endpoint=endpoint, headers=agent)
    address = f"{hub.endpoint}/{repository}/tree/{revision}"
    try:
        info = hub.model_info(repository, revision=revision, files_metadata=True, timeout=patience.answer)
        commit = _commit(info)
        files = [
            _remote_file(file, hf_hub_url(repository, file.rfilename, revision=commit, endpoint=hub.endpoint))
            for file in info.siblings or ()
            if _is_plain(file.rfilename) and is_needed(file.rfilename)
        ]
        headers = build_hf_headers(headers=agent)
    except HfHubHTTPError as error:
        raise status_error(error.response, HUB, address) from error
    except OfflineModeIsEnabled as error:
        advice = "Unset it and run the same command again."
        raise DownloadError("HF_HUB_OFFLINE keeps the hub out of reach.", advice=advice) from error
    except _library_errors() as error:
        told = network_error(error, address)
        advice = f"Check HF_ENDPOINT. {told.next_step}" if endpoint else told.next_step
        raise DownloadError(told.message, advice=advice) from error
    except (ValueError, TypeError, KeyError) as error:
        message = f"{address} did not answer as a hub does."
        raise DownloadError(message, advice=_CHECK_ENDPOINT) from error
    finally:
        close_session()
    return Snapshot(repository, commit, tuple(sorted(files, key=lambda file: file.size)), headers)


_CHECK_ENDPOINT = (
    "Check HF_ENDPOINT if you have set it, and whether a sign-in page of your network stands in the way."
)
_LOG_IN = (
    "Accept its terms on its page if it has any, create an access token on the hub, set HF_TOKEN to it or run "
    "`hf auth login`, and run the same command again."
)
_MOVED = (
    "Check HF_ENDPOINT if you have set it; if not, the model may have moved: run "
    "`pip install --upgrade phial-ls`."
)

HUB = Place(
    refusals={
        **REFUSALS,
        401: ("does not exist or asks you to log in", _LOG_IN),
        403: ("is not open to you", _LOG_IN),
        404: ("does not exist", _MOVED),
    },
    other_file="Run the same command again; if it stays, the hub serves another file than it lists: "
    "check HF_ENDPOINT if you have set it.",
)


def _is_plain(name: str) -> bool:
    """Tell whether a name is that of a file in the folder itself, on every system."""
    return re.fullmatch(r"\w[\w.-]*\w|\w", name, re.ASCII) is not None


def _endpoint() -> str | None:
    """Return where the hub is, or None where the library's own default is meant."""
    endpoint = os.environ.get("HF_ENDPOINT", "").strip().rstrip("/")
    try:
        url = httpx2.URL(endpoint)
    except httpx2.InvalidURL:
        url = httpx2.URL()
    if endpoint and not (url.scheme in {"http", "https"} and url.host):
        raise DownloadError("HF_ENDPOINT is not an HTTP address.", advice="Correct or unset it.")
    return endpoint or None


def _commit(info: ModelInfo) -> str:
    commit = info.sha or ""
    if not re.fullmatch(r"[0-9a-f]{40,64}", commit):
        raise ValueError(commit)
    return commit


def _remote_file(file: RepoSibling, url: str) -> RemoteFile:
    size = file.lfs.size if file.lfs else file.size
    digest = file.lfs.sha256 if file.lfs else file.blob_id
    if type(size) is not int or type(digest) is not str:
        raise ValueError(file)
    checksum = Checksum.sha256(digest) if file.lfs else Checksum.git_blob(digest, size)
    return RemoteFile(file.rfilename, url, size, checksum)


def _library_errors() -> tuple[type[Exception], ...]:
    """Return the network errors of the HTTP library below huggingface_hub: httpx in its version 1, httpx2 later."""
    modules = [sys.modules.get(name) for name in ("httpx", "httpx2")]
    return tuple(module.RequestError for module in modules if module)
