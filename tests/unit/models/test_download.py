from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from phial.errors import ChecksumMismatch, DiskFull, DownloadError
from phial.models.download import Checksum, fetch
from phial.models.failures import network_error
from phial.models.package_index import INDEX
from support.file_server import Fault, FileServer, Page, serve

BODY = bytes(range(256)) * 1000
SHA256 = Checksum.sha256(hashlib.sha256(BODY).hexdigest())
GIT_BLOB = Checksum.git_blob("ed99543dba99b885850a5e5a6bf95545aaa9754c", len(BODY))
NO_PAUSES = (0.0, 0.0)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serve() as server:
        server.pages["/file"] = Page(BODY)
        yield server


@pytest.fixture
def client() -> Iterator[httpx2.Client]:
    with httpx2.Client(timeout=httpx2.Timeout(10, read=0.3), trust_env=False) as client:
        yield client


def download(
    url: str,
    target: Path,
    client: httpx2.Client,
    *,
    size: int = len(BODY),
    checksum: Checksum = SHA256,
) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    fetch(
        url,
        target,
        size=size,
        checksum=checksum,
        place=INDEX,
        progress=lambda done, total: seen.append((done, total)),
        client=client,
        retry_pauses=NO_PAUSES,
    )
    return seen


def part_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def ranges(server: FileServer) -> list[str | None]:
    return [request.headers.get("Range") for request in server.requests]


def test_a_file_arrives_with_progress(server: FileServer, client: httpx2.Client, tmp_path: Path) -> None:
    seen = download(f"{server.url}/file", tmp_path / "file", client)

    assert (tmp_path / "file").read_bytes() == BODY
    assert not part_of(tmp_path / "file").exists()
    assert seen == sorted(seen)
    assert seen[0] == (0, len(BODY))
    assert seen[-1] == (len(BODY), len(BODY))


def test_a_file_is_compared_with_its_name_in_git(
    server: FileServer, client: httpx2.Client, tmp_path: Path
) -> None:
    download(f"{server.url}/file", tmp_path / "file", client, checksum=GIT_BLOB)

    assert (tmp_path / "file").read_bytes() == BODY
    server.pages["/file"] = Page(BODY[::-1])
    with pytest.raises(ChecksumMismatch):
        download(f"{server.url}/file", tmp_path / "other", client, checksum=GIT_BLOB)


def test_a_file_that_is_there_is_not_asked_for(
    server: FileServer, client: httpx2.Client, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(BODY)

    assert download(f"{server.url}/file", tmp_path / "file", client) == [(len(BODY), len(BODY))]
    assert server.requests == []


def test_a_file_that_has_changed_is_fetched_again(
    server: FileServer, client: httpx2.Client, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"changed")

    download(f"{server.url}/file", tmp_path / "file", client)

    assert (tmp_path / "file").read_bytes() == BODY


@pytest.mark.parametrize(
    ("part", "faults", "asked"),
    [
        pytest.param(BODY[:1000], [], ["bytes=1000-"], id="resumes"),
        pytest.param(BODY, [], [], id="only the rename was missing"),
        pytest.param(b"", ["cut"], [None, "bytes=128000-"], id="cut"),
        pytest.param(
            b"",
            ["cut"] * 5,
            [None, *(f"bytes={256000 - (256000 >> n)}-" for n in range(1, 6))],
            id="cut often",
        ),
        pytest.param(b"", ["short"], [None, "bytes=128000-"], id="short body"),
        pytest.param(b"", ["stall"], [None, "bytes=128000-"], id="stalled body"),
        pytest.param(b"x" * 1000, ["no range"], ["bytes=1000-"], id="range ignored"),
        pytest.param(b"x" * 1000, ["wrong range"], ["bytes=1000-", None], id="another range"),
        pytest.param(b"x" * 1000, [416], ["bytes=1000-", None], id="range refused"),
        pytest.param(b"x" * (len(BODY) + 1), [], [None], id="part too long"),
    ],
)
def test_it_recovers(
    server: FileServer,
    client: httpx2.Client,
    tmp_path: Path,
    *,
    part: bytes,
    faults: list[Fault],
    asked: list[str | None],
) -> None:
    part_of(tmp_path / "file").write_bytes(part)
    server.faults = faults

    download(f"{server.url}/file", tmp_path / "file", client)

    assert (tmp_path / "file").read_bytes() == BODY
    assert ranges(server) == asked


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (401, ["401", "user name and password"]),
        (403, ["403", "user name and password"]),
        (404, ["404", "pip config list"]),
        (416, ["416"]),
        (429, ["429", "Wait a few minutes"]),
        (500, ["500", "goes on where it stopped"]),
        (503, ["503", "goes on where it stopped"]),
    ],
)
def test_a_status_is_told_with_what_to_do(
    server: FileServer, client: httpx2.Client, tmp_path: Path, fault: Fault, words: list[str]
) -> None:
    server.faults = [fault]

    with pytest.raises(DownloadError) as caught:
        download(f"{server.url}/file?token=secret", tmp_path / "file", client)

    assert all(word in str(caught.value) for word in words)
    assert "secret" not in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [401, 404, 500])
def test_what_arrived_stays_when_the_server_refuses(
    server: FileServer, client: httpx2.Client, tmp_path: Path, status: int
) -> None:
    server.faults = ["cut", status]

    with pytest.raises(DownloadError):
        download(f"{server.url}/file", tmp_path / "file", client)

    assert part_of(tmp_path / "file").read_bytes() == BODY[:128000]


def test_it_gives_up_when_no_more_bytes_come(
    server: FileServer, client: httpx2.Client, tmp_path: Path
) -> None:
    part_of(tmp_path / "file").write_bytes(BODY[:-1])
    server.faults = ["cut"] * 9  # half of one byte is none

    with pytest.raises(DownloadError, match="broke"):
        download(f"{server.url}/file", tmp_path / "file", client)

    assert len(server.requests) == 1 + len(NO_PAUSES)
    assert part_of(tmp_path / "file").read_bytes() == BODY[:-1]


def test_without_a_network_it_says_so_at_once(client: httpx2.Client, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://user:secret@127.0.0.1:{unused.getsockname()[1]}/file"

        with pytest.raises(DownloadError, match=r"no network.*run the same command again") as caught:
            download(url, tmp_path / "file", client)

    assert "secret" not in str(caught.value)


def test_a_certificate_that_is_not_trusted_is_told() -> None:
    error = httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")

    told = network_error(error, "https://user:secret@models.example/file?token=secret")

    assert str(told).startswith("https://models.example/file shows a certificate that is not trusted here.")
    assert "SSL_CERT_FILE" in str(told)


@pytest.mark.parametrize("length", [10, len(BODY) - 10])
def test_a_file_of_another_length_is_refused_at_once(
    server: FileServer, client: httpx2.Client, tmp_path: Path, length: int
) -> None:
    with pytest.raises(ChecksumMismatch, match=f"{len(BODY)} bytes, not {length}"):
        download(f"{server.url}/file", tmp_path / "file", client, size=length)

    assert not (tmp_path / "file").exists()


def test_other_bytes_are_deleted(server: FileServer, client: httpx2.Client, tmp_path: Path) -> None:
    server.faults = ["wrong content"]

    with pytest.raises(ChecksumMismatch, match="not the file that was published"):
        download(f"{server.url}/file", tmp_path / "file", client)

    assert list(tmp_path.iterdir()) == []


def test_a_disk_too_small_is_told_before_anything_is_asked(
    server: FileServer, client: httpx2.Client, tmp_path: Path
) -> None:
    with pytest.raises(DiskFull, match=r"needs 1,000,000,000,000 MB of free space and has [\d,]+ MB"):
        download(f"{server.url}/file", tmp_path / "file", client, size=10**18)

    assert server.requests == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_a_disk_that_fills_up_is_told(server: FileServer, client: httpx2.Client, tmp_path: Path) -> None:
    part_of(tmp_path / "file").symlink_to("/dev/full")

    with pytest.raises(DiskFull, match=r"full.*Free some space"):
        download(f"{server.url}/file", tmp_path / "file", client)

    assert part_of(tmp_path / "file").is_symlink()
