"""`phial/status` and work-done progress: what the user sees of a model that loads."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from support.editors import Editor, completion_params, editor, started
from support.processes import HEAVY, LARGEST_SERVER, serve_telling_modules

SHOWS_PROGRESS = {"window": {"workDoneProgress": True}}


async def test_load(
    starter: Path, own_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three windows while a model loads: one that shows progress, one that cannot, one that will not."""
    settings = {"model": str(starter), "device": "CPU", "chat": {"maxTokens": 8}}
    modules = tmp_path / "modules"
    telling = serve_telling_modules(modules)
    async with (
        editor(settings, capabilities=SHOWS_PROGRESS, command=telling) as showing,
        editor(settings) as plain,
        started() as refusing,
    ):
        refusing.refuses = frozenset({"window/workDoneProgress/create"})
        await refusing.initialize(settings, SHOWS_PROGRESS)
        await showing.status("loading")
        await plain.status("loading")
        memory = psutil.Process(showing.process.pid).memory_info().rss
        uri = plain.open("def add(a, b):\n    return ")
        asked = plain.ask("phial/chat", {"question": "What is one and one?"})
        completion = plain.ask("textDocument/inlineCompletion", completion_params(uri, 1, 11))
        assert await plain.result(completion) is None
        now = await plain.request("phial/status", None)
        assert now["state"] == "loading"
        assert 0 <= now["fraction"] < 1
        assert (await plain.result(asked))["text"]  # it has waited
        ready = await showing.until_ready()
        assert (await plain.request("phial/status", None))["state"] == "ready"
        assert await plain.complete(uri, 1, 11)
        await assert_whole_progress(showing)
        await refusing.until_ready()
        assert refusing.told("window/workDoneProgress/create")
        assert refusing.told("$/progress") == []
        assert plain.told("$/progress") == []
        assert plain.told("window/workDoneProgress/create") == []
        assert_told_in_order(showing)
    assert ready["model"] == "SmolLM2-135M-Instruct"
    assert ready["device"] == "CPU"
    assert ready["starter"] is True
    assert "SmolLM2-135M-Instruct" in ready["message"]
    assert "starter" in ready["message"]
    with capsys.disabled():
        print(f"\nmemory while a model loads: {memory / 1e6:.0f} MB")  # noqa: T201
    assert memory < LARGEST_SERVER
    assert not set(modules.read_text().split()) & HEAVY


async def assert_whole_progress(window: Editor) -> None:
    await window.until(
        lambda message: message.get("method") == "$/progress" and message["params"]["value"]["kind"] == "end"
    )
    [created] = window.told("window/workDoneProgress/create")
    told = window.told("$/progress")
    assert {progress["token"] for progress in told} == {created["token"]}
    begin, *reports, end = [progress["value"] for progress in told]
    assert begin == {"kind": "begin", "title": "Phial", "percentage": 0}
    assert len(reports) >= 2
    assert all(report["kind"] == "report" and "is loading" in report["message"] for report in reports)
    percentages = [report["percentage"] for report in reports]
    assert percentages == sorted(percentages)
    assert end == {"kind": "end"}


def assert_told_in_order(window: Editor) -> None:
    told = window.told("phial/status")
    assert [state for state, _ in groupby(status["state"] for status in told)] == [
        "starting",
        "loading",
        "ready",
    ]
    fractions = [status["fraction"] for status in told if status["state"] == "loading"]
    assert fractions == sorted(fractions)
    assert all(status["message"].endswith(".") for status in told)


async def test_speed_is_told_once_it_is_known(settings: dict[str, Any]) -> None:
    async with editor({**settings, "chat": {"maxTokens": 40}}) as window:
        await window.until_ready()
        await window.chat("Tell me a story about a king.")
        told = await window.until(lambda message: message.get("params", {}).get("tokensPerSecond"))
    assert told["params"]["tokensPerSecond"] > 1


@pytest.mark.parametrize("params", [{}, None, []])
async def test_request(window: Editor, params: Any) -> None:
    assert (await window.request("phial/status", params))["state"] == "ready"


async def test_request_without_params(window: Editor) -> None:
    """What VS Code sends for a request that has nothing to say."""
    window.send({"jsonrpc": "2.0", "id": "without", "method": "phial/status"})
    response = await window.until(lambda message: message.get("id") == "without")
    assert response["result"]["state"] == "ready"


async def test_request_before_initialized(own_home: Path) -> None:
    async with started() as window:
        await window.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        assert (await window.request("phial/status", None))["state"] == "starting"
        with anyio.fail_after(30):
            assert await window.complete(window.open("x = "), 0, 4) is None
