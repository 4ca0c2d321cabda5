from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream

from phial.errors import EngineError, ModelBroken
from phial.host.app import create_app
from phial.host.backend import Backend, Decoding
from phial.host.host import Host, Leases
from phial.models.store import Model
from support.fake_backend import FakeBackend

AT_ONCE, SOON, LATE = 0.0, 0.005, 3600.0
MODEL = Model("fake", "Fake model", Path(), 1000, starter=False)


@asynccontextmanager
async def waiting(leases: Leases, patience: float) -> AsyncIterator[anyio.Event]:
    """Wait in the background for the leases to be given up, and set an event then."""
    given_up = anyio.Event()

    async def wait() -> None:
        await leases.until_given_up(patience)
        given_up.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        yield given_up
        tasks.cancel_scope.cancel()


async def stays(given_up: anyio.Event) -> bool:
    """Return whether nothing happens for a moment that is long against `SOON`."""
    with anyio.move_on_after(10 * SOON):
        await given_up.wait()
    return not given_up.is_set()


# Leases


@pytest.mark.parametrize("patience", [AT_ONCE, SOON])
async def test_whoever_never_comes_is_not_waited_for_longer_than_that(patience: float) -> None:
    with anyio.fail_after(5):
        await Leases().until_given_up(patience)


async def test_the_first_holder_is_waited_for() -> None:
    async with waiting(Leases(), LATE) as given_up:
        assert await stays(given_up)


async def test_a_holder_keeps_it() -> None:
    leases = Leases()
    async with leases.hold(AT_ONCE), waiting(leases, AT_ONCE) as given_up:
        assert await stays(given_up)


@pytest.mark.parametrize("keep_alive", [AT_ONCE, SOON])
async def test_once_the_last_holder_has_left_it_stays_for_as_long_as_that_one_wished(
    keep_alive: float,
) -> None:
    leases = Leases()
    async with waiting(leases, LATE) as given_up:
        async with leases.hold(keep_alive):
            async with leases.hold(LATE):
                assert await stays(given_up)
            assert await stays(given_up)
        with anyio.fail_after(5):
            await given_up.wait()


async def test_the_wish_of_one_who_left_earlier_does_not_count() -> None:
    leases = Leases()
    async with waiting(leases, LATE) as given_up:
        async with leases.hold(LATE):
            async with leases.hold(AT_ONCE):
                pass
            assert await stays(given_up)
        assert await stays(given_up)


async def test_a_new_holder_keeps_it() -> None:
    leases = Leases()
    async with waiting(leases, LATE) as given_up:
        async with leases.hold(5 * SOON):
            pass
        await anyio.wait_all_tasks_blocked()
        async with leases.hold(AT_ONCE):
            assert await stays(given_up)
        with anyio.fail_after(5):
            await given_up.wait()


async def test_a_host_started_by_hand_stays_for_ever() -> None:
    leases = Leases()
    async with waiting(leases, math.inf) as given_up:
        async with leases.hold(AT_ONCE):
            pass
        assert await stays(given_up)


async def test_shortened_it_waits_no_longer_than_that_for_a_holder() -> None:
    leases = Leases()
    async with waiting(leases, math.inf) as given_up:
        leases.shorten(SOON)
        with anyio.fail_after(5):
            await given_up.wait()


async def test_shortened_it_stays_while_somebody_holds_it() -> None:
    leases = Leases()
    leases.shorten(AT_ONCE)
    async with leases.hold(LATE), waiting(leases, LATE) as given_up:
        assert await stays(given_up)
    with anyio.fail_after(5):
        await leases.until_given_up(LATE)


async def test_it_is_free_once_the_last_holder_has_left() -> None:
    leases = Leases()
    async with anyio.create_task_group() as tasks, leases.hold(LATE):
        with anyio.move_on_after(SOON) as waited:
            await leases.until_free()
        assert waited.cancelled_caught
        tasks.start_soon(leases.until_free)
    await leases.until_free()


# The host


def fail(*_: object) -> Backend:
    raise ModelBroken("The folder is empty.")


@asynccontextmanager
async def lease(host: Host, keep_alive: float) -> AsyncIterator[MemoryObjectReceiveStream[dict[str, Any]]]:
    """Hold a lease over HTTP, and hand out the health that it tells."""
    send_health, health = anyio.create_memory_object_stream[dict[str, Any]](100)
    gone, closed = anyio.Event(), anyio.Event()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if body := message.get("body"):
            await send_health.send(json.loads(body.removeprefix(b"data: ")))

    async def request() -> None:
        headers = [(b"host", b"127.0.0.1:1"), (b"authorization", b"Bearer secret")]
        query = f"keep_alive={keep_alive}".encode()
        scope = {"type": "http", "method": "GET", "path": "/lease", "query_string": query, "headers": headers}
        await create_app(host, token="secret")(scope, receive, send)
        closed.set()

    async with anyio.create_task_group() as tasks:
        with send_health, health:
            tasks.start_soon(request)
            yield health
            gone.set()
            await closed.wait()


async def test_a_host_that_nobody_wants_leaves() -> None:
    with anyio.fail_after(5):
        await Host(MODEL, "CPU", load=fail).until_unused(AT_ONCE)


async def test_a_host_that_is_asked_to_leave_does_so_whoever_holds_it() -> None:
    host = Host(MODEL, "CPU", load=fail)
    with anyio.fail_after(5):
        async with host.leases.hold(LATE):
            host.leave()
            await host.until_unused(LATE)


@pytest.mark.parametrize("needed", [False, True])
async def test_a_host_that_is_asked_to_leave_if_unused_stays_for_whoever_holds_it(needed: bool) -> None:
    host = Host(MODEL, "CPU", load=fail)
    with anyio.fail_after(5):
        if needed:
            async with host.leases.hold(LATE):
                assert not await host.leave_if_unused(SOON)
            with anyio.move_on_after(SOON) as waited:
                await host.until_unused(LATE)
            assert waited.cancelled_caught
        else:
            assert await host.leave_if_unused(SOON)
            await host.until_unused(LATE)


@pytest.mark.parametrize("query", ["", "?unused"])
async def test_a_host_leaves_when_a_window_says_so(query: str) -> None:
    host = Host(MODEL, "CPU", load=fail)
    transport = httpx2.ASGITransport(create_app(host, token="secret"))
    headers = {"authorization": "Bearer secret"}
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1:1", headers=headers
    ) as http:
        assert (await http.post(f"/shutdown{query}")).json() == {"status": "leaving"}
    with anyio.fail_after(5):
        await host.until_unused(LATE)


async def test_a_lease_lasts_as_long_as_its_connection_and_tells_each_change() -> None:
    host = Host(MODEL, "CPU", load=lambda *_: FakeBackend({}))
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, waiting(host.leases, LATE) as given_up:
            async with lease(host, keep_alive=AT_ONCE) as health:
                assert (await health.receive())["status"] == "loading"
                tasks.start_soon(host.run)
                assert (await health.receive())["status"] == "ready"
                assert await stays(given_up)
            await given_up.wait()
            tasks.cancel_scope.cancel()


async def test_a_host_that_could_not_load_its_model_stays_to_tell_why() -> None:
    host = Host(MODEL, "CPU", load=fail)
    await host.run()
    with pytest.raises(ModelBroken, match="The folder is empty"):
        host.loaded()
    async with waiting(host.leases, LATE) as given_up, lease(host, LATE) as health:
        assert await stays(given_up)
        assert (await health.receive())["error"]["code"] == "model_broken"


async def test_a_host_whose_model_stops_working_tells_so_and_leaves() -> None:
    backend = FakeBackend({"chat": "a"})
    backend.broken = RuntimeError("out of luck")
    host = Host(MODEL, "CPU", load=lambda *_: backend)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, lease(host, LATE) as health:
            tasks.start_soon(host.run)
            while (await health.receive())["status"] != "ready":
                pass
            async with host.loaded().scheduler.generate(b"chat", Decoding(1), 0) as answer:
                with pytest.raises(EngineError, match="out of luck"):
                    await anext(aiter(answer))
            assert (await health.receive())["error"]["code"] == "engine_error"
            await host.until_unused(LATE)
    with pytest.raises(EngineError, match="The model stopped working: out of luck"):
        host.loaded()
    assert backend.closed
