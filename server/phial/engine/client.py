"""An engine behind the OpenAI HTTP API: our own host, OpenVINO Model Server, vLLM and their like."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx2

from phial import errors
from phial.engine.base import Abilities, Chunk, Infill, Request, Sampling, Status, Usage
from phial.errors import EngineError, EngineRefused, EngineUnreachable, PhialError

_TIMEOUT = httpx2.Timeout(connect=5.0, read=300.0, write=30.0, pool=None)
"""Seconds. The first token of a long prompt can take minutes on a slow machine."""


@dataclass(frozen=True)
class Endpoint:
    """Where an engine is. `local` ones are ours: no proxy, and they know priorities."""

    url: str
    key: str = ""
    model: str = ""
    local: bool = False
    abilities: Abilities = field(default_factory=Abilities)


class OpenAIEngine:
    """Streams answers from an OpenAI-compatible server."""

    def __init__(self, endpoint: Endpoint, told: Callable[[Status], None] = lambda _: None) -> None:
        self._endpoint = endpoint
        self._told = told
        self._model = endpoint.model
        self._error = _unusable(endpoint)
        self._http = httpx2.AsyncClient(
            base_url="" if self._error else _api_root(endpoint.url),
            headers={"authorization": f"Bearer {endpoint.key}"} if endpoint.key and not self._error else {},
            timeout=_TIMEOUT,
            trust_env=not endpoint.local,
        )

    @property
    def status(self) -> Status:
        """Ready if it can be asked at all: whether the server answers shows with the first request."""
        if self._error:
            return Status("failed", str(self._error), code=self._error.code)
        return Status("ready", f"Using the server at {self._endpoint.url}.", model=self._model or None)

    @property
    def abilities(self) -> Abilities:
        """What is known of the server."""
        return self._endpoint.abilities

    @asynccontextmanager
    async def stream(self, request: Request | Infill) -> AsyncIterator[AsyncIterator[Chunk]]:
        """Stream the answer to a request; leaving the context closes the connection, which stops it."""
        if self._error:
            raise self._error
        route, body = _infill(request) if isinstance(request, Infill) else _chat(request)
        body |= {"model": await self._model_name(), **_sampling(request.sampling), "stream": True}
        body["stream_options"] = {"include_usage": True}
        if self._endpoint.local:
            body["priority"] = request.priority
        with self._translated_errors():
            async with self._http.stream("POST", route, json=body) as response:
                if response.is_error:
                    await response.aread()
                    raise _refusal(response)
                async with aclosing(self._chunks(response)) as chunks:
                    yield chunks

    async def run(self) -> None:
        """Tell the status, and keep the connections until cancelled."""
        self._told(self.status)
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await self.close()

    async def release(self) -> None:
        """Do nothing: the server is not ours."""

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def _chunks(self, response: httpx2.Response) -> AsyncGenerator[Chunk, None]:
        with self._translated_errors():
            async for line in response.aiter_lines():
                if line == "data: [DONE]":
                    return
                if line.startswith("data:"):
                    yield _chunk(json.loads(line[5:]))
        raise EngineUnreachable(f"The server at {self._endpoint.url} broke off its answer.")

    async def _model_name(self) -> str:
        """Return the model to ask for: the one that was set, else the first that the server has."""
        if self._endpoint.local:
            return "local"
        if not self._model:
            with self._translated_errors():
                response = await self._http.get("models")
                if response.is_error:
                    raise _refusal(response)
                self._model = str(response.json()["data"][0]["id"])
        return self._model

    def _translated_errors(self) -> _Translation:
        return _Translation(self._endpoint.url)


class _Translation:
    """Turns what an HTTP library raises into errors that say what to do."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, httpx2.TimeoutException):
            raise EngineUnreachable(f"The server at {self._url} did not answer in time.") from error
        if isinstance(error, httpx2.ConnectError):
            raise EngineUnreachable(f"Nothing answers at {self._url}.") from error
        if isinstance(error, httpx2.HTTPError):
            raise EngineUnreachable(f"The connection to {self._url} broke off.") from error
        if isinstance(error, KeyError | IndexError | TypeError | ValueError):
            raise EngineError(
                f"The server at {self._url} answered in a form that Phial does not know."
            ) from error


def _unusable(endpoint: Endpoint) -> EngineUnreachable | None:
    """Return what is wrong with a URL or a key as people type them."""
    try:
        url = httpx2.URL(_api_root(endpoint.url))
    except httpx2.InvalidURL:
        url = httpx2.URL()
    if url.scheme not in ("http", "https") or not url.host or not 0 < (url.port or 80) < 1 << 16:
        return EngineUnreachable(
            f"`{endpoint.url}` is no URL of a server.",
            advice="Set `phial.engine.url` to one like http://127.0.0.1:8000.",
        )
    if not (endpoint.key.isascii() and endpoint.key.isprintable()):
        return EngineUnreachable(
            "The key of the server holds characters that no key has.",
            advice="Set PHIAL_ENGINE_KEY to the key of that server.",
        )
    return None


def _api_root(url: str) -> str:
    """Return the URL below which the API is; people write it with and without the version."""
    trimmed = url.rstrip("/")
    return trimmed if trimmed.endswith(("/v1", "/v3")) else f"{trimmed}/v1"


def _chat(request: Request) -> tuple[str, dict[str, Any]]:
    """Return the route that answers a conversation, and what it takes beside the sampling."""
    messages = [{"role": message.role, "content": message.content} for message in request.messages]
    body: dict[str, Any] = {"messages": messages, "logprobs": True}
    if request.continues:
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    return "chat/completions", body


def _infill(request: Infill) -> tuple[str, dict[str, Any]]:
    """Return the route that fills a gap, and what it takes beside the sampling."""
    return "completions", {"prompt": request.prefix, "suffix": request.suffix, "logprobs": 1}


def _sampling(sampling: Sampling) -> dict[str, Any]:
    body: dict[str, Any] = {
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
    }
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    if sampling.regex is not None:
        body["structured_outputs"] = {"regex": sampling.regex}
    return body


def _chunk(data: Mapping[str, Any]) -> Chunk:
    if error := data.get("error"):
        raise errors.from_wire(error.get("code"), str(error.get("message")))
    usage = _usage(data["usage"]) if data.get("usage") else None
    choice = next(iter(data["choices"]), None)
    if choice is None:
        return Chunk(usage=usage)
    reason = choice.get("finish_reason")
    return Chunk(
        text=(choice["delta"].get("content") if "delta" in choice else choice["text"]) or "",
        logprobs=_logprobs(choice.get("logprobs") or {}),
        finish_reason=reason if reason in (None, "stop", "length") else "stop",
        usage=usage,
    )


def _logprobs(data: Mapping[str, Any]) -> tuple[float, ...]:
    """Return the log-probabilities in the form of either route."""
    if "token_logprobs" in data:
        return tuple(float(logprob) for logprob in data["token_logprobs"])
    return tuple(float(token["logprob"]) for token in data.get("content") or ())


def _usage(data: Mapping[str, Any]) -> Usage:
    return Usage(
        prompt_tokens=data.get("prompt_tokens") or 0,
        cached_tokens=(data.get("prompt_tokens_details") or {}).get("cached_tokens") or 0,
        completion_tokens=data.get("completion_tokens") or 0,
    )


def _refusal(response: httpx2.Response) -> PhialError:
    if response.status_code in (401, 403):
        return EngineRefused(
            f"The server refused Phial's key (HTTP {response.status_code}).",
            advice="Set PHIAL_ENGINE_KEY to the key of that server.",
        )
    try:
        error = response.json()["error"]
        return errors.from_wire(error.get("code"), str(error["message"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return EngineRefused(f"The server refused the request (HTTP {response.status_code}).")
