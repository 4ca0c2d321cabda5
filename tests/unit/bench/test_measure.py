from __future__ import annotations

import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from phial.address import HostAddress
from phial.bench.measure import measure
from phial.errors import EngineError, PromptTooLong

ERROR = {"message": "It broke.", "code": "engine_error"}


@asynccontextmanager
async def answering(answer: Response) -> AsyncIterator[HostAddress]:
    """Serve what looks like a host and answers each request so."""

    async def health(_: Request) -> Response:
        return JSONResponse({"title": "Fake", "device": "CPU", "backend": "fake"})

    async def completions(_: Request) -> Response:
        return answer

    app = Starlette(
        routes=[Route("/health", health), Route("/v1/completions", completions, methods=["POST"])]
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        address = HostAddress(listener.getsockname()[1], "token", os.getpid(), "1", "fake", "CPU")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            try:
                yield address
            finally:
                server.should_exit = True


def events(*items: Any) -> Response:
    lines = [f"data: {json.dumps(item)}\n\n" for item in items]
    return Response("".join([*lines, "data: [DONE]\n\n"]), media_type="text/event-stream")


def piece(*tokens: str, finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"text": "".join(tokens), "logprobs": {"tokens": tokens}, "finish_reason": finish_reason}
    return {"choices": [choice]}


async def test_figures_come_from_tokens_and_times() -> None:
    async with answering(events(piece("a"), piece("b", "c"), piece(finish_reason="length"))) as address:
        figures = await measure(address, 1.5, runs=1)
    assert (figures.model, figures.device, figures.backend, figures.load_seconds) == (
        "Fake",
        "CPU",
        "fake",
        1.5,
    )
    assert figures.prefill_tokens_per_second == 512 / figures.cold_first_token_seconds
    assert figures.decode_tokens_per_second > 0
    assert figures.memory_bytes > 0


@pytest.mark.parametrize("pieces", [[], [piece("a")]])
async def test_a_model_that_ends_each_answer_at_once_cannot_be_measured(pieces: list[Any]) -> None:
    async with answering(events(*pieces, piece(finish_reason="stop"))) as address:
        with pytest.raises(EngineError, match="speed cannot be measured"):
            await measure(address, 1.5, runs=1)


async def test_a_refusal_is_told() -> None:
    error = {"message": "The prompt has 512 tokens.", "code": "context_length_exceeded"}
    async with answering(JSONResponse({"error": error}, status_code=400)) as address:
        with pytest.raises(PromptTooLong, match="The prompt has 512 tokens"):
            await measure(address, 1.5, runs=1)


async def test_an_error_on_the_way_is_told() -> None:
    async with answering(events(piece("a"), {"error": ERROR})) as address:
        with pytest.raises(EngineError, match="It broke"):
            await measure(address, 1.5, runs=1)
