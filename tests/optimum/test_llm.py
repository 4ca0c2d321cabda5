"""The backend that is meant for NPUs, on the CPU: one request at a time, and prompts of a limited length."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx2
import pytest

from phial.host import llm
from phial.host.app import create_app
from phial.host.backend import Backend, Decoding
from phial.host.host import Host
from phial.host.serial import SerialBackend
from support.exports import Exports

PROMPT = {"prompt": [450, 338, 263], "max_tokens": 24}


@pytest.fixture(scope="module")
def backend(exports: Exports) -> SerialBackend:
    return llm.load(exports.get("int8"), "CPU", lambda *_: None, reason="chosen in the settings")


@pytest.fixture
async def http(exports: Exports, backend: Backend) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a host with this backend, in this process."""
    host = Host(exports.get("int8"), "CPU", load=lambda *_: backend)
    async with (
        anyio.create_task_group() as tasks,
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(create_app(host, token="secret")),
            base_url="http://127.0.0.1:4711",
            headers={"authorization": "Bearer secret"},
        ) as client,
    ):
        tasks.start_soon(host.run)
        while host.health()["status"] != "ready":
            await host.changed.wait()
        yield client
        tasks.cancel_scope.cancel()


async def text(http: httpx2.AsyncClient, **fields: Any) -> tuple[str, str]:
    """Ask for an answer; return it and why it ended."""
    response = await http.post("/v1/completions", json={**PROMPT, **fields})
    assert response.status_code == 200, response.text
    [choice] = response.json()["choices"]
    return choice["text"], choice["finish_reason"]


async def test_it_answers_and_says_what_it_is(http: httpx2.AsyncClient) -> None:
    answer, reason = await text(http)
    health = (await http.get("/health")).json()

    assert len(answer) > 24
    assert reason == "length"
    assert await text(http) == (answer, reason)
    assert (health["backend"], health["device"]) == ("openvino-genai-llm", "CPU")
    assert health["device_reason"] == "chosen in the settings"


async def test_it_streams_the_same(http: httpx2.AsyncClient) -> None:
    answer, reason = await text(http)
    async with http.stream("POST", "/v1/completions", json={**PROMPT, "stream": True}) as response:
        data = [line.removeprefix("data: ") async for line in response.aiter_lines() if line]

    assert data.pop() == "[DONE]"
    choices = [json.loads(event)["choices"][0] for event in data]
    assert len(choices) > 12
    assert "".join(choice["text"] for choice in choices) == answer
    assert choices[-1]["finish_reason"] == reason


async def test_it_stops_before_a_stop_string(http: httpx2.AsyncClient) -> None:
    answer, _ = await text(http)
    stop = answer[len(answer) // 2 :][:6]
    before = answer[: answer.index(stop)]

    assert await text(http, stop=[stop], max_tokens=400) == (before, "stop")
    assert (await text(http))[0] == answer


async def test_its_answer_can_be_held_to_a_regular_expression(http: httpx2.AsyncClient) -> None:
    assert await text(http, structured_outputs={"regex": "(yes|no) [0-9]{3}"}) in {
        (f"{word} {number:03}", "stop") for word in ("yes", "no") for number in range(1000)
    }


async def test_a_prompt_beyond_its_limit_is_refused_with_both_numbers(http: httpx2.AsyncClient) -> None:
    longest = await http.post("/v1/completions", json={"prompt": [450] * 2048, "max_tokens": 1})
    longer = await http.post("/v1/completions", json={"prompt": [450] * 2049, "max_tokens": 1})

    assert longest.status_code == 200
    assert longer.status_code == 400
    error = longer.json()["error"]
    assert error["code"] == "context_length_exceeded"
    assert error["message"].startswith("The prompt has 2049 tokens, and the model takes 2048 on CPU.")


async def test_who_leaves_frees_it_at_the_next_token(backend: SerialBackend) -> None:
    generation = backend.start(PROMPT["prompt"], Decoding(max_tokens=400))  # type: ignore[arg-type]
    while not (tokens := generation.read()):
        await backend.step()
    generation.cancel()
    await backend.step()

    assert generation.ended
    assert len(tokens + generation.read()) < 100
