"""Finding, starting, sharing and replacing the model host: real processes, each test in a home of its own."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import psutil
import pytest
from filelock import FileLock, Timeout

from phial import __version__
from phial.address import HostAddress, HostFiles
from phial.engine import launcher
from phial.errors import ModelBroken
from phial.models import store
from support.editors import editor
from support.hosts import leased, linked_model, shut_down, until_loaded
from support.processes import PHIAL, ended, hosts_in, output, python

FIND_OR_START = """
import sys
import anyio
from phial.engine import launcher
from phial.models import store

async def main():
    model, device = sys.argv[1:]
    print((await launcher.find_or_start(store.resolve(model), device, patience=60)).pid)

anyio.run(main)
"""


async def find_or_start(model: Path, device: str = "CPU") -> HostAddress:
    return await launcher.find_or_start(store.resolve(str(model)), device, patience=60)


async def load_error(model: Path, device: str = "CPU") -> dict[str, Any]:
    """Start a host and return the error of its load."""
    address = await find_or_start(model, device)
    async with leased(address) as health:
        state = await until_loaded(health)
    assert state["status"] == "failed"
    assert (await launcher.health(address) or {})["error"] == state["error"]
    await shut_down(model, device)
    return dict(state["error"])


async def reading(health: AsyncIterator[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    """Yield a host's states until it has read its model, which a broken one does not survive."""
    async for state in health:
        assert state["status"] == "loading", state
        yield state
        if state["stage"] == "compiling it for the device":
            return


def is_held(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def assert_clear(message: str, *parts: str) -> None:
    """Check that a message says all this, in one line and without a traceback."""
    for part in parts:
        assert part in message
    assert "Traceback" not in message
    assert "\n" not in message
    assert message.endswith(".")
    assert len(message) < 400


async def test_ten_processes_share_one_host(starter: Path, own_home: Path) -> None:
    windows = [python(FIND_OR_START, str(starter), "CPU") for _ in range(10)]
    printed = [await output(window) for window in windows]
    assert len(set(printed)) == 1, printed
    [host] = hosts_in(own_home)
    assert int(printed[0]) == host.pid
    # They have all ended, and what one of them started has not.
    assert [window.returncode for window in windows] == [0] * 10
    files = HostFiles.of(starter, "CPU")
    address = files.read()
    assert address
    assert address.pid == host.pid
    async with leased(address, keep_alive=0.1) as last:
        async with leased(address, keep_alive=0.1) as first:
            assert (await until_loaded(first))["status"] == "ready"
        await anext(last)
        assert host.is_running()
    await ended(host)  # as the last lease wished
    assert not files.address.exists()


async def test_ten_servers_share_one_host(starter: Path, own_home: Path) -> None:
    servers = []
    all_ready = anyio.Event()

    async def start() -> None:
        async with editor({"model": str(starter), "device": "CPU"}) as window:
            await window.until_ready()
            servers.append(window.process.pid)
            if len(servers) == 10:
                all_ready.set()
            await all_ready.wait()

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(start)
    assert len(set(servers)) == 10
    [host] = hosts_in(own_home)
    assert host.is_running()  # for `keepAlive` minutes more


async def test_window_that_ends_while_its_host_starts(starter: Path, own_home: Path) -> None:
    """What it leaves behind may compete with the host that the next window starts: one of them stays."""
    window = python(FIND_OR_START, str(starter), "CPU")
    while not hosts_in(own_home):
        assert window.poll() is None
    window.kill()
    await output(window)
    assert not HostFiles.of(starter, "CPU").address.exists()
    address = await find_or_start(starter)
    for host in hosts_in(own_home):
        if host.pid != address.pid:
            await ended(host)
    assert [host.pid for host in hosts_in(own_home)] == [address.pid]
    assert await launcher.health(address)


async def test_host_that_is_about_to_tell_its_address(starter: Path, own_home: Path) -> None:
    """It holds its lock already, and nobody holds the other: whoever started it has ended."""
    files = HostFiles.of(starter, "CPU")
    first = await find_or_start(starter)
    files.forget()
    found = []

    async def find() -> None:
        found.append(await find_or_start(starter))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(find)
        while not is_held(files.starting()):
            await launcher.health(first)
        for _ in range(20):  # it finds no address, and a lock that is held
            await launcher.health(first)
        assert not found
        files.write(first)
    assert found == [first]
    assert [host.pid for host in hosts_in(own_home)] == [first.pid]


async def test_stale_file_with_a_dead_process(starter: Path, own_home: Path) -> None:
    files = HostFiles.of(starter, "CPU")
    dead = python("print('ended')")
    await output(dead)
    files.write(HostAddress(1, "token", dead.pid, __version__, "starter", "CPU"))
    address = await find_or_start(starter)
    assert address.pid != dead.pid
    assert await launcher.health(address)


async def test_stale_file_with_the_process_of_another(starter: Path, own_home: Path) -> None:
    HostFiles.of(starter, "CPU").write(HostAddress(1, "token", os.getpid(), __version__, "starter", "CPU"))
    assert (await find_or_start(starter)).pid != os.getpid()


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"{",
        b"\x00\xff",
        b"[1, 2]",
        b'{"port": 1}',
        b'{"port": 1, "token": "t", "pid": 1, "version": 3, "model": "m", "device": "CPU"}',
        b'{"port": "x", "token": "t", "pid": 1, "version": "0.1", "model": "m", "device": "CPU"}',
        b'{"port": true, "token": "t", "pid": 1, "version": "0.1", "model": "m", "device": "CPU"}',
        b'{"port": -5, "token": "t", "pid": 1, "version": "0.1", "model": "m", "device": "CPU"}',
        b'{"port": 65536, "token": "t", "pid": 1, "version": "0.1", "model": "m", "device": "CPU"}',
    ],
)
def test_address_that_cannot_be_understood(starter: Path, own_home: Path, garbage: bytes) -> None:
    files = HostFiles.of(starter, "CPU")
    files.address.write_bytes(garbage)
    assert files.read() is None


@pytest.mark.parametrize(
    "garbage",
    [
        b"{",
        b'{"port": 9, "token": "\\n", "pid": 1, "version": "", "model": "", "device": ""}',
        b'{"port": 9, "token": "t", "pid": 1, "version": "9.x.y", "model": "", "device": ""}',
    ],
)
async def test_file_with_garbage(starter: Path, own_home: Path, garbage: bytes) -> None:
    HostFiles.of(starter, "CPU").address.write_bytes(garbage)
    address = await find_or_start(starter)
    assert [process.pid for process in hosts_in(own_home)] == [address.pid]


async def test_address_is_for_its_user_only(host: HostAddress, starter: Path) -> None:
    file = HostFiles.of(starter, "CPU").address
    assert json.loads(file.read_text("utf-8"))["token"] == host.token
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0
    assert host.token not in HostFiles.of(starter, "CPU").log.read_text("utf-8")
    assert host.token not in " ".join(psutil.Process(host.pid).cmdline())
    assert host.token not in repr(host)


async def test_host_of_another_version(starter: Path, own_home: Path) -> None:
    files = HostFiles.of(starter, "CPU")
    first = await find_or_start(starter)
    [process] = hosts_in(own_home)
    files.write(dataclasses.replace(first, version="99.0.0"))
    assert (await find_or_start(starter)).pid == first.pid  # a newer one speaks to older windows
    files.write(dataclasses.replace(first, version="0.0.1"))
    second = await find_or_start(starter)
    await ended(process)
    assert [process.pid for process in hosts_in(own_home)] == [second.pid]
    assert second.pid != first.pid
    assert second.version == __version__


async def test_failed_host_is_replaced(starter: Path, own_home: Path, tmp_path: Path) -> None:
    model = linked_model(starter, tmp_path / "model", without="openvino_model.xml")
    (model / "openvino_model.xml").write_bytes((starter / "openvino_model.xml").read_bytes()[:20_000])
    failed = await find_or_start(model)
    async with leased(failed) as health:
        assert (await until_loaded(health))["status"] == "failed"
    [process] = hosts_in(own_home)
    (model / "openvino_model.xml").unlink()
    (model / "openvino_model.xml").symlink_to(starter / "openvino_model.xml")
    sound = await find_or_start(model)
    assert sound.pid != failed.pid
    async with leased(sound) as health:
        stages = [state["stage"] async for state in reading(health)]
    assert stages[-1] == "compiling it for the device"
    await ended(process)
    assert [process.pid for process in hosts_in(own_home)] == [sound.pid]


async def test_a_host_tells_whether_its_model_has_a_chat_template(
    starter: Path, own_home: Path, tmp_path: Path
) -> None:
    name = "openvino_tokenizer.xml"
    plain = linked_model(starter, tmp_path / "model", without=name)
    tokenizer = (starter / name).read_text("utf-8")
    (plain / name).write_text(re.sub(r'<chat_template value="[^"]*"\s*/>', "", tokenizer), "utf-8")
    for model, chat in ((plain, False), (starter, True)):
        async with leased(await find_or_start(model)) as health:
            state = await until_loaded(health)
        assert (state["status"], state["chat"]) == ("ready", chat)


async def test_host_leaves_while_it_loads(starter: Path, own_home: Path) -> None:
    address = await find_or_start(starter)
    [process] = hosts_in(own_home)
    async with leased(address, keep_alive=0) as health:
        assert (await anext(health))["status"] == "loading"
    await ended(process)
    assert not HostFiles.of(starter, "CPU").address.exists()


async def test_host_leaves_when_no_lease_comes(starter: Path, own_home: Path) -> None:
    await launcher.find_or_start(store.resolve(str(starter)), "CPU", patience=0.1)
    for process in hosts_in(own_home):
        await ended(process)
    assert not HostFiles.of(starter, "CPU").address.exists()


async def test_second_host_by_hand(host: HostAddress, starter: Path) -> None:
    command = (*PHIAL, "host", "--model", str(starter), "--device", "CPU")
    second = await anyio.to_thread.run_sync(
        lambda: subprocess.run(command, capture_output=True, text=True, check=False)
    )
    assert second.returncode == 1
    assert second.stdout == ""
    assert_clear(second.stderr.strip(), "There is a host for SmolLM2-135M-Instruct on CPU already.")
    assert HostFiles.of(starter, "CPU").read() == host
    assert await launcher.health(host)


async def test_unknown_device(starter: Path, own_home: Path) -> None:
    error = await load_error(starter, "WARP")
    assert error["code"] == "device_error"
    assert_clear(error["message"], "There is no device", "WARP", "CPU", "Set `phial.device`")
    async with editor({"model": str(starter), "device": "WARP"}) as window:
        await window.status("failed")
        status = await window.request("phial/status", None)
        assert status["state"] == "failed"
        assert status["message"] == error["message"]


@pytest.mark.parametrize("name", ["openvino_model.xml", "openvino_tokenizer.xml", "openvino_detokenizer.xml"])
async def test_truncated_model(starter: Path, own_home: Path, tmp_path: Path, name: str) -> None:
    model = linked_model(starter, tmp_path / "model", without=name)
    (model / name).write_bytes((starter / name).read_bytes()[:3_000])
    error = await load_error(model)
    assert error["code"] == "model_broken"
    assert_clear(error["message"], "OpenVINO cannot", "fetch the model again")


async def test_truncated_weights(starter: Path, own_home: Path, tmp_path: Path) -> None:
    model = linked_model(starter, tmp_path / "model", without="openvino_model.bin")
    (model / "openvino_model.bin").write_bytes((starter / "openvino_model.bin").read_bytes()[:1_000_000])
    error = await load_error(model)
    assert error["code"] == "model_broken"
    assert_clear(error["message"], "OpenVINO cannot", "fetch the model again")


@pytest.mark.parametrize("name", ["openvino_model.bin", "openvino_model.xml", "openvino_tokenizer.xml"])
async def test_missing_file(starter: Path, own_home: Path, tmp_path: Path, name: str) -> None:
    model = linked_model(starter, tmp_path / "model", without=name)
    with pytest.raises(ModelBroken) as caught:
        await find_or_start(model)
    assert_clear(str(caught.value), name, "fetch the model again")


async def test_missing_file_shown_to_everybody(starter: Path, own_home: Path, tmp_path: Path) -> None:
    model = linked_model(starter, tmp_path / "model", without="openvino_model.bin")
    by_hand = await anyio.to_thread.run_sync(
        lambda: subprocess.run(
            (*PHIAL, "host", "--model", str(model)), capture_output=True, text=True, check=False
        )
    )
    assert by_hand.returncode == 1
    assert_clear(by_hand.stderr.strip(), "openvino_model.bin", "fetch the model again")
    async with editor({"model": str(model), "device": "CPU"}) as window:
        assert_clear(
            (await window.status("failed"))["message"], "openvino_model.bin", "fetch the model again"
        )
    assert hosts_in(own_home) == []


async def test_too_little_memory(starter: Path, own_home: Path, tmp_path: Path) -> None:
    model = linked_model(starter, tmp_path / "model", context_length=50_000_000)
    error = await load_error(model)
    assert error["code"] == "out_of_memory"
    assert_clear(error["message"], "needs about ", " GB of free memory", " GB are free", "smaller model")
    needed = float(error["message"].split("needs about ")[1].split()[0])
    assert needed > psutil.virtual_memory().total / 2**30
