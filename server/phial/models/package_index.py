"""Find a file in the package index that the user's pip is set up for.

pip knows the mirror, the proxy and the certificates of this machine, so it is asked; no index is named here.
"""

from __future__ import annotations

import ast
import os
import re
import ssl
import subprocess
from collections.abc import Generator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

import httpx2

from phial.errors import DownloadError
from phial.models.failures import REFUSALS, Place, network_error, shown, status_error
from phial.models.interpreter import run_module

_SIGN_IN = (
    "Check your user name and password for it (a package index has them in PIP_INDEX_URL), then try again."
)

INDEX = Place(
    refusals={
        **REFUSALS,
        401: ("asks for a user name and password", _SIGN_IN),
        403: ("does not allow the download", _SIGN_IN),
        404: ("does not exist", "Check which package index pip uses: `python -m pip config list`."),
    },
    other_file="Run the same command again; if it stays, your package index serves another file.",
)


@dataclass(frozen=True)
class PipSettings:
    """What pip is set up with: the index's URL, which may hold credentials, and what may be empty."""

    index: str = field(repr=False)
    certificates: str = ""
    proxy: str = field(default="", repr=False)


def read_settings(folder: Path) -> PipSettings:
    """Ask pip for its settings; `folder` is one of Phial's own, to run pip in."""
    listed = _listed_settings(folder)
    index = os.environ.get("PIP_INDEX_URL", "").strip() or _default_index(listed, folder)
    try:
        url = httpx2.URL(index)
    except httpx2.InvalidURL:
        url = httpx2.URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise DownloadError("pip's package index is not an HTTP address.", advice=_SET_INDEX)
    return PipSettings(
        index,
        certificates=os.environ.get("PIP_CERT") or dict(listed).get("cert", ""),
        proxy=os.environ.get("PIP_PROXY") or dict(listed).get("proxy", ""),
    )


def open_client(settings: PipSettings) -> httpx2.Client:
    """Return a client that shows the credentials of the index to the index and to no other host."""
    url = httpx2.URL(settings.index)
    return httpx2.Client(
        auth=_IndexAuth(url) if url.userinfo else None,
        verify=_certificates(settings.certificates),
        proxy=settings.proxy or None,
        timeout=httpx2.Timeout(30, connect=15),
        follow_redirects=True,
    )


def find_file(project: str, filename: str, index: str, client: httpx2.Client) -> str:
    """Return the URL of a project's file, from the index's JSON (PEP 691) or HTML (PEP 503) page."""
    page = f"{_without_credentials(index).rstrip('/')}/{project}/"
    accept = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
    try:
        response = client.get(page, headers={"Accept": accept}, follow_redirects=True)
    except httpx2.RequestError as error:
        raise network_error(error, page) from error
    if response.status_code != 200:
        raise status_error(response, INDEX)
    try:
        files = _files_in_json(response) if _is_json(response) else _files_in_html(response)
        url = urljoin(str(response.url), files.get(filename, ""))
    except (ValueError, KeyError, TypeError) as error:
        raise DownloadError(f"{shown(page)} is no package index.", advice=_SET_INDEX) from error
    if filename not in files:
        raise DownloadError(f"{shown(page)} does not list {filename}.", advice=_SET_INDEX)
    return _without_credentials(url)


class _IndexAuth(httpx2.BasicAuth):
    def __init__(self, index: httpx2.URL) -> None:
        super().__init__(index.username, index.password)
        self._origin = index.origin

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        if request.url.origin == self._origin:
            yield from super().auth_flow(request)
        else:
            yield request


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        reference = dict(attrs).get("href") or ""
        if tag == "base":
            self.base = reference
        elif tag == "a":
            self.references.append(reference)


def _is_json(response: httpx2.Response) -> bool:
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
    return content_type in {"application/vnd.pypi.simple.v1+json", "application/json"}


def _files_in_json(response: httpx2.Response) -> dict[str, str]:
    return {str(file["filename"]): str(file["url"]) for file in response.json()["files"]}


def _files_in_html(response: httpx2.Response) -> dict[str, str]:
    links = _Links()
    links.feed(response.text)
    urls = [urljoin(links.base, reference) for reference in links.references]
    return {unquote(PurePosixPath(urlsplit(url).path).name): url.partition("#")[0] for url in urls}


def _without_credentials(url: str) -> str:
    return str(httpx2.URL(url).copy_with(userinfo=b""))


def _certificates(bundle: str) -> ssl.SSLContext | bool:
    # without a bundle the client takes SSL_CERT_FILE, then what the system trusts
    if not bundle:
        return True
    try:
        if Path(bundle).is_dir():
            return ssl.create_default_context(capath=bundle)
        return ssl.create_default_context(cafile=bundle)
    except OSError as error:
        raise DownloadError(
            f"pip's certificate file {bundle} cannot be read.",
            advice="Correct PIP_CERT or pip's setting `cert`.",
        ) from error


def _listed_settings(folder: Path) -> list[tuple[str, str]]:
    # `config get` is no substitute: it leaves out the system's file and PIP_CONFIG_FILE
    lines = _run_pip("config", "list", folder=folder).stdout
    found = re.findall(r"^(?:global|download)\.([\w-]+)=('.*'|\".*\")\r?$", lines, re.MULTILINE)
    return [(name, str(ast.literal_eval(value))) for name, value in found]


def _default_index(listed: list[tuple[str, str]], folder: Path) -> str:
    # pip's help shows the default in effect, wide enough to not wrap; a password in it is masked
    text = _run_pip("download", "--help", folder=folder).stdout
    found = re.search(r"--index-url <url>[^\n]*?\(default:? ([^\s)]+)\)", text)
    if found is None:
        raise DownloadError("pip does not say which package index to use.", advice=_SET_INDEX)
    if "****" not in found[1]:
        return found[1]
    bare = _bare(found[1])
    return next((value for name, value in listed if name == "index-url" and _bare(value) == bare), found[1])


def _bare(url: str) -> str:
    return re.sub(r"//[^/]*@", "//", url)


def _run_pip(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    variables = {"COLUMNS": "1000", "NO_COLOR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        return run_module("pip", *arguments, folder=folder, seconds=60, variables=variables)
    except subprocess.TimeoutExpired as error:
        raise DownloadError("pip does not answer.", advice=_SET_INDEX) from error


_SET_INDEX = "Set PIP_INDEX_URL to the URL of your package index and run the same command again."
