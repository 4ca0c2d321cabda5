"""Settings: wrong ones, changed ones, and a server of the user's own instead of the local host."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from phial.address import HostAddress
from support.editors import ResponseError, editor
from support.hosts import metrics, relay_to
from support.processes import hosts_in

LOOP = 'for name in ["Ada", "Grace"]:\n    print('

PULLS = {"workspace": {"configuration": True}}


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (
            {"completion": {"maxTokens": "many"}, "chat": 5, "keepAlive": -1},
            ["completion.maxTokens", "chat", "keepAlive"],
        ),
        ({"completion": {"debounce": True}, "no.such": 1}, ["completion.debounce", "no.such"]),
        ("fast", ["phial"]),
    ],
)
async def test_wrong_types(own_home: Path, raw: Any, names: list[str]) -> None:
    async with editor(raw) as window:
        [told] = [message for message in window.told("window/showMessage") if message["type"] == 2]
        for name in names:
            assert f"`phial.{name}`".replace("phial.phial", "phial") in told["message"]
        assert (await window.status("failed"))["message"].startswith("No model is installed.")
        assert len([message for message in window.told("window/showMessage") if message["type"] == 2]) == 1


async def test_defaults_are_used_for_what_is_wrong(host: HostAddress) -> None:
    async with relay_to(host) as relay:
        remote = {"url": relay.url, "key": host.token}
        wrong = {"engine": remote, "completion": {"maxTokens": "many", "debounce": [], "enable": "no"}}
        async with editor(wrong) as window:
            await window.until_ready()
            await window.complete(window.open(LOOP), 1, 10)
        assert relay.questions[-1]["max_tokens"] == 96


@pytest.mark.parametrize("section", [True, False], ids=["with section", "without"])
async def test_change_takes_effect(host: HostAddress, section: bool) -> None:
    async with relay_to(host) as relay:
        remote = {"engine": {"url": relay.url, "key": host.token}}
        async with editor(remote) as window:
            await window.until_ready()
            changed = {**remote, "chat": {"maxTokens": 3}}
            window.notify(
                "workspace/didChangeConfiguration", {"settings": {"phial": changed} if section else changed}
            )
            await window.chat("What is a list?")
            assert relay.questions[-1]["max_tokens"] == 3
            assert len(window.told("phial/status")) == 1  # the engine is the same: nothing was started anew


async def test_change_is_asked_for(host: HostAddress) -> None:
    """Some editors only say that something has changed."""
    async with relay_to(host) as relay:
        remote = {"engine": {"url": relay.url, "key": host.token}}
        async with editor(remote, capabilities=PULLS) as window:
            await window.until_ready()
            window.configuration = {**remote, "chat": {"maxTokens": 3}}
            window.notify("workspace/didChangeConfiguration", {"settings": None})
            await window.until(lambda message: message.get("method") == "workspace/configuration")
            await window.chat("What is a list?")
            assert relay.questions[-1]["max_tokens"] == 3


async def test_change_of_the_model(settings: dict[str, Any], host: HostAddress) -> None:
    async with editor({**settings, "chat": {"maxTokens": 4}}) as window:
        await window.until_ready()
        heard = len(window.heard)
        window.notify(
            "workspace/didChangeConfiguration", {"settings": {**settings, "model": "no-such-model"}}
        )
        failed = await window.status("failed", since=heard)
        assert (
            failed["message"]
            == "There is no model no-such-model. Run `phial models list` to see what there is."
        )
        with pytest.raises(ResponseError, match="no-such-model") as caught:
            await window.chat("What is a list?")
        assert caught.value.data == {"code": "model_not_found"}
        heard = len(window.heard)
        window.notify(
            "workspace/didChangeConfiguration", {"settings": {**settings, "chat": {"maxTokens": 4}}}
        )
        await window.status("ready", since=heard)
        assert (await window.chat("What is a list?"))["text"]
        states = [
            message["params"]["state"]
            for message in window.heard[heard:]
            if message.get("method") == "phial/status"
        ]
        assert states[0] == "starting"
        assert window.process.returncode is None


async def test_change_while_a_chat_waits(settings: dict[str, Any], starter: Path) -> None:
    """Who waits for a model that is no longer wanted is told so."""
    async with editor({**settings, "device": "WARP"}) as window:
        await window.status("failed")
        number = window.ask("phial/chat", {"question": "What is a list?"})
        with pytest.raises(ResponseError) as caught:
            await window.result(number)
        assert caught.value.data == {"code": "device_error"}
        window.notify(
            "workspace/didChangeConfiguration", {"settings": {**settings, "chat": {"maxTokens": 4}}}
        )
        await window.status("ready")
        assert (await window.chat("What is a list?"))["text"]


@pytest.mark.parametrize("key", ["setting", "environment"])
async def test_server_of_the_user(host: HostAddress, own_home: Path, key: str) -> None:
    remote = {"url": host.url, **({"key": host.token} if key == "setting" else {})}
    environment = {"PHIAL_ENGINE_KEY": host.token} if key == "environment" else {}
    async with editor({"engine": remote, "chat": {"maxTokens": 30}}, environment=environment) as window:
        status = await window.until_ready()
        assert host.url in status["message"]
        assert "Paris" in (await window.chat("What is the capital of France?"))["text"]
        before = (await metrics(host))["phial_prompt_tokens_total"]
        await window.complete(window.open(LOOP), 1, 10)
        assert (await metrics(host))["phial_prompt_tokens_total"] > before
        assert hosts_in(own_home) == []
        assert host.token not in window.stderr
    assert list((own_home / "hosts").glob("*")) == [] if (own_home / "hosts").exists() else True


async def test_model_of_a_server_is_the_first_it_has(host: HostAddress) -> None:
    async with relay_to(host) as relay:
        remote = {"engine": {"url": f"{relay.url}/v1/", "key": host.token}, "chat": {"maxTokens": 2}}
        async with editor(remote) as window:
            await window.chat("What is a list?")
        lines = [line for line, _ in relay.requests]
        assert lines == ["GET /v1/models HTTP/1.1", "POST /v1/chat/completions HTTP/1.1"]
        assert relay.questions[-1]["model"] == "starter"
        assert "priority" not in relay.questions[-1]


async def test_server_that_refuses_the_key(host: HostAddress) -> None:
    async with editor({"engine": {"url": host.url, "key": "wrong"}}) as window:
        await window.until_ready()
        with pytest.raises(ResponseError) as caught:
            await window.chat("What is a list?")
        assert caught.value.data == {"code": "engine_refused"}
        assert "401" in caught.value.message
        assert "PHIAL_ENGINE_KEY" in caught.value.message
        assert await window.complete(window.open("x = "), 0, 4) is None


async def test_server_that_cannot_be_reached(own_home: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with editor({"engine": {"url": url}}) as window:
            await window.until_ready()
            with pytest.raises(ResponseError) as caught:
                await window.chat("What is a list?")
            assert caught.value.data == {"code": "engine_unreachable"}
            assert caught.value.message == (
                f"Nothing answers at {url}. Check `phial.engine.url`, and that the server there is running."
            )
            assert await window.complete(window.open("x = "), 0, 4) is None
            assert "Traceback" not in window.stderr
    assert hosts_in(own_home) == []


async def test_url_that_is_none(own_home: Path) -> None:
    """People type it letter by letter, and the editor sends each change."""
    async with editor({}) as window:
        await window.status("failed")
        for url in (
            *("no url at all", "http://", "ftp://127.0.0.1", "http://127.0.0.1:99999"),
            *("http://localhost:x", "http://[::1", "http://\0"),
        ):
            heard = len(window.heard)
            window.notify("workspace/didChangeConfiguration", {"settings": {"engine": {"url": url}}})
            failed = await window.status("failed", since=heard)
            assert failed["message"] == (
                f"`{url}` is no URL of a server. Set `phial.engine.url` to one like http://127.0.0.1:8000."
            )
            with pytest.raises(ResponseError) as caught:
                await window.chat("What is a list?")
            assert caught.value.message == failed["message"]
            assert caught.value.data == {"code": "engine_unreachable"}
    assert "Traceback" not in window.stderr


@pytest.mark.parametrize("key", ["schlüssel", "two\nlines"])
async def test_key_that_is_none(own_home: Path, host: HostAddress, key: str) -> None:
    async with editor({"engine": {"url": host.url, "key": key}}) as window:
        failed = await window.status("failed")
        assert "PHIAL_ENGINE_KEY" in failed["message"]
        assert key not in failed["message"]
        with pytest.raises(ResponseError, match="PHIAL_ENGINE_KEY"):
            await window.chat("What is a list?")
