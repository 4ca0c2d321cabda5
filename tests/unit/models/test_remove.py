from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from phial.address import HostAddress, HostFiles
from phial.engine import launcher
from phial.errors import ModelError, ModelNotFound
from phial.models import hub as product
from phial.models import manifest, store
from phial.models.catalog import find
from phial.models.store import Model
from support import hosts
from support.hub import Hub
from support.processes import ended
from support.stored import build_ir, install, names, repository_of


@pytest.mark.parametrize("device", ["AUTO", "CPU", "GPU", "NPU", "GPU.1"])
def test_a_model_that_a_host_serves_is_not_removed(empty_store: Path, device: str) -> None:
    folder = install("phi").folder
    install("other")
    files = HostFiles.of(folder, device)
    files.write(HostAddress(1234, "token", 4321, "1", "phi", device))
    with (
        files.alive(),
        pytest.raises(ModelError, match=r"phi is loaded: process 4321 serves it.*Close the editors"),
    ):
        store.remove("phi")

    assert names(empty_store) == ["other", "phi"]


def test_a_host_that_is_starting_counts(empty_store: Path) -> None:
    folder = install("phi").folder

    with HostFiles.of(folder, "CPU").alive(), pytest.raises(ModelError, match="just starting"):
        store.remove("phi")


def test_the_address_of_a_host_that_has_gone_is_no_hindrance(empty_store: Path) -> None:
    folder = install("phi").folder
    files = HostFiles.of(folder, "CPU")
    files.write(HostAddress(1234, "token", 4321, "1", "phi", "CPU"))
    with files.alive():
        pass

    store.remove("phi")

    assert names(empty_store) == []


def test_the_host_of_another_model_is_no_hindrance(empty_store: Path) -> None:
    install("phi")
    with HostFiles.of(install("other").folder, "CPU").alive():
        store.remove("phi")

    assert names(empty_store) == ["other"]


def test_a_broken_model_can_be_removed(empty_store: Path) -> None:
    (install("phi").folder / "phial-model.json").write_text("{")

    store.remove("phi")

    assert names(empty_store) == []
    with pytest.raises(ModelNotFound):
        store.remove("phi")


def test_what_was_compiled_of_a_model_goes_with_it(empty_store: Path) -> None:
    compiled = []
    for model_id in ("phi", "other"):
        folder = store.compiled_folder(install(model_id))
        folder.mkdir(parents=True)
        (folder / "1.blob").touch()
        compiled.append(folder)

    store.remove("phi")

    assert [folder.exists() for folder in compiled] == [False, True]
    assert store.verify("other") == []


def test_what_was_compiled_of_a_broken_model_goes_when_it_is_installed_again(empty_store: Path) -> None:
    model = install("phi")
    store.compiled_folder(model).mkdir(parents=True)
    (model.folder / "openvino_model.bin").unlink()

    install("phi")

    assert not store.compiled_folder(model).exists()


def test_nothing_is_compiled_into_a_model_of_the_users_own(empty_store: Path, tmp_path: Path) -> None:
    build_ir(tmp_path / "own")
    compiled = store.compiled_folder(store.resolve(str(tmp_path / "own")))

    assert compiled.is_relative_to(empty_store)
    assert compiled == store.compiled_folder(store.resolve(f"{tmp_path}/own/../own"))


@pytest.fixture
def fetched(hub: Hub, starter: Path) -> Model:
    """A real model, fetched from the hub."""
    entry = find("qwen2.5-coder-0.5b")
    assert entry
    files = [file for file in starter.iterdir() if file.name != manifest.FILE_NAME]
    hub.publish(repository_of(entry), {file.name: file.read_bytes() for file in files})
    return product.pull(entry, lambda _: None)


async def test_a_fetched_model_loads_and_stays_as_long_as_it_is_loaded(fetched: Model) -> None:
    address = await launcher.find_or_start(fetched, "CPU", patience=60)
    host = psutil.Process(address.pid)
    try:
        async with hosts.leased(address):
            await launcher.until_ready(address)
            with pytest.raises(ModelError, match=f"process {address.pid} serves it"):
                store.remove(fetched.id)
    finally:
        host.terminate()
        await ended(host)

    store.remove(fetched.id)
    assert store.installed() == []
