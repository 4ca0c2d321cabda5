from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import Timeout
from hypothesis import given
from hypothesis import strategies as st

from phial import folders
from phial.address import HostAddress, HostFiles

ADDRESS = HostAddress(port=4711, token="secret", pid=12, version="0.1.0", model="starter", device="CPU")
FIELDS = {"port": 4711, "token": "secret", "pid": 12, "version": "0.1.0", "model": "starter", "device": "CPU"}

posix_only = pytest.mark.skipif(os.name != "posix", reason="Windows has no file modes")
addresses = st.builds(
    HostAddress,
    port=st.integers(1, 65535),
    token=st.text(),
    pid=st.integers(1),
    version=st.text(),
    model=st.text(),
    device=st.text(),
)


@pytest.fixture
def files(tmp_path: Path) -> HostFiles:
    return HostFiles(tmp_path / "host-0123")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# Folders


@pytest.mark.parametrize(
    ("folder", "name"),
    [(folders.models_folder, "models"), (folders.hosts_folder, "hosts"), (folders.logs_folder, "logs")],
)
def test_phial_home_holds_every_folder(home: Path, folder: object, name: str) -> None:
    assert callable(folder)
    assert folder() == home.resolve() / name
    assert (home / name).is_dir()


def test_phial_home_may_begin_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("PHIAL_HOME", "~/phial")
    assert folders.models_folder() == tmp_path.resolve() / "phial" / "models"


@posix_only
def test_without_phial_home_the_platform_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("PHIAL_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    found = [folders.models_folder(), folders.hosts_folder(), folders.logs_folder()]
    assert all(folder.is_dir() and folder.is_relative_to(tmp_path) for folder in found)
    assert len(set(found)) == 3


@posix_only
def test_nobody_else_looks_into_the_folder_of_the_hosts() -> None:
    assert mode(folders.hosts_folder()) == 0o700


# The address


@given(addresses)
def test_an_address_comes_back_as_it_was_written(address: HostAddress) -> None:
    files = HostFiles(folders.hosts_folder() / "host-hypothesis")
    files.write(address)
    assert files.read() == address
    files.forget()
    assert files.read() is None


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"port": 4711, "tok', id="cut off"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"null", id="null"),
        pytest.param(json.dumps({**FIELDS, "colour": "red"}).encode(), id="a field too many"),
        pytest.param(json.dumps({"port": 4711}).encode(), id="fields are missing"),
        pytest.param(json.dumps({**FIELDS, "port": "4711"}).encode(), id="a port that is text"),
        pytest.param(json.dumps({**FIELDS, "port": 1 << 16}).encode(), id="a port that there is not"),
        pytest.param(json.dumps({**FIELDS, "token": None}).encode(), id="no token"),
    ],
)
def test_what_cannot_be_understood_is_no_address(files: HostFiles, content: bytes) -> None:
    files.address.write_bytes(content)
    assert files.read() is None


def test_a_folder_in_its_place_is_no_address(files: HostFiles) -> None:
    files.address.mkdir()
    assert files.read() is None


def test_to_forget_an_address_twice_is_no_error(files: HostFiles) -> None:
    files.write(ADDRESS)
    files.forget()
    files.forget()
    assert not files.address.exists()


@posix_only
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_its_user_can_read_an_address(files: HostFiles, umask: int) -> None:
    before = os.umask(umask)
    try:
        files.write(ADDRESS)
    finally:
        os.umask(before)
    assert mode(files.address) == 0o600


@posix_only
def test_a_reader_sees_the_whole_old_address_or_the_whole_new_one(files: HostFiles) -> None:
    files.write(ADDRESS)
    with files.address.open(encoding="utf-8") as reader:
        files.write(replace(ADDRESS, port=4712))
        assert json.load(reader) == FIELDS
    assert files.read() == replace(ADDRESS, port=4712)


def test_writing_leaves_no_draft_behind(files: HostFiles) -> None:
    files.write(ADDRESS)
    assert [path.name for path in files.stem.parent.iterdir()] == ["host-0123.json"]


def test_an_address_does_not_show_its_token() -> None:
    assert "secret" not in repr(ADDRESS)
    assert ADDRESS.url == "http://127.0.0.1:4711"


def test_the_files_are_named_for_the_model_and_the_device(tmp_path: Path) -> None:
    first = HostFiles.of(tmp_path / "a", "CPU")
    assert HostFiles.of(tmp_path / "b" / ".." / "a", "CPU") == first
    assert first not in {HostFiles.of(tmp_path / "a", "GPU"), HostFiles.of(tmp_path / "b", "CPU")}
    assert first.log.parent == folders.logs_folder()


def test_the_locks_are_two_and_each_has_one_holder(files: HostFiles) -> None:
    with files.alive(), files.starting():
        for lock in (files.alive(), files.starting()):
            with pytest.raises(Timeout):
                lock.acquire(blocking=False)
    with files.alive():
        pass
