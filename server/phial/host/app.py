"""The host's HTTP API: OpenAI's routes, health, metrics and the lease that keeps the host alive."""

from __future__ import annotations

import hmac
import math
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar

import anyio
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from phial.errors import ModelError, PhialError, PromptTooLong, UsageError
from phial.host import completions, metrics, schema
from phial.host.events import EventStream, until_gone
from phial.host.host import Host, ModelLoading

Body = TypeVar("Body", bound=BaseModel)

_HEARTBEAT = 15.0
"""Seconds between signs of life on a lease, so that a dead connection is noticed."""

_LAST_WINDOW = 2.0
"""Seconds in which the end of the asking window's own lease is noticed."""

_LONGEST_KEEP_ALIVE = 365 * 24 * 3600.0


def create_app(host: Host, *, token: str) -> Starlette:
    """Make the ASGI application that serves a host to whoever knows its token."""
    app = Starlette(
        routes=[
            Route("/v1/models", models, methods=["GET"]),
            Route("/v1/chat/completions", chat_completions, methods=["POST"]),
            Route("/v1/completions", text_completions, methods=["POST"]),
            Route("/tokenize", tokenize, methods=["POST"]),
            Route("/health", health, methods=["GET"]),
            Route("/metrics", prometheus, methods=["GET"]),
            Route("/lease", lease, methods=["GET"]),
            Route("/shutdown", shutdown, methods=["POST"]),
        ],
        middleware=[Middleware(_OnlyOurs, token=token)],
        exception_handlers={PhialError: _refuse, HTTPException: _no_such_route},
    )
    app.state.host = host
    return app


async def chat_completions(request: Request) -> Response:
    """Answer a conversation."""
    body = await _body(request, schema.ChatCompletions)
    return await _send(request, completions.chat(_host(request).loaded(), body))


async def text_completions(request: Request) -> Response:
    """Go on with a text, or fill a gap in one."""
    body = await _body(request, schema.Completions)
    return await _send(request, completions.text(_host(request).loaded(), body))


async def models(request: Request) -> Response:
    """List the one model that is loaded."""
    loaded = _host(request).loaded()
    card = loaded.backend.card
    return JSONResponse(
        {
            "object": "list",
            "data": [
                {
                    "id": card.id,
                    "object": "model",
                    "created": loaded.since,
                    "owned_by": "phial",
                    "max_model_len": card.max_model_len,
                    "device": card.device,
                    "backend": card.backend,
                    "starter": card.starter,
                    "fill_in_middle": card.fill_in_middle is not None,
                    "prefill_chunk": card.prefill_chunk,
                }
            ],
        }
    )


async def tokenize(request: Request) -> Response:
    """Count and list the tokens of a prompt or of messages."""
    loaded = _host(request).loaded()
    body = await _body(request, schema.Tokenize)
    tokens = completions.tokens(loaded, body)
    return JSONResponse(
        {"count": len(tokens), "max_model_len": loaded.backend.card.max_model_len, "tokens": tokens}
    )


async def health(request: Request) -> Response:
    """Tell how the host is: loading with stage and fraction, ready, or failed with the reason."""
    return JSONResponse(_host(request).health())


async def prometheus(request: Request) -> Response:
    """Tell what has been counted."""
    return Response(_host(request).metrics.text(), media_type=metrics.CONTENT_TYPE)


async def lease(request: Request) -> Response:
    """Keep the host alive while this response is open, and tell each change of its health."""
    host = _host(request)
    try:
        keep_alive = float(request.query_params.get("keep_alive", "600"))
    except ValueError:
        keep_alive = math.nan
    if not 0 <= keep_alive <= _LONGEST_KEEP_ALIVE:
        raise _InvalidField("`keep_alive` must be a number of seconds, a year at most.", "keep_alive")

    @asynccontextmanager
    async def held() -> AsyncIterator[AsyncIterator[str]]:
        async with host.leases.hold(keep_alive), aclosing(_changes(host)) as changes:
            yield changes

    return EventStream(held)


async def _changes(host: Host) -> AsyncGenerator[str, None]:
    while True:
        changed = host.changed
        yield completions.event(host.health())
        while not changed.is_set():
            with anyio.move_on_after(_HEARTBEAT) as waited:
                await changed.wait()
            if waited.cancelled_caught:
                yield ": alive\n\n"


async def shutdown(request: Request) -> Response:
    """Leave, once this is answered; with `unused`, only if no window is left that needs the host."""
    host = _host(request)
    if "unused" in request.query_params:
        leaves = await host.leave_if_unused(_LAST_WINDOW)
        return JSONResponse({"status": "leaving" if leaves else "in use"})
    host.leave()
    return JSONResponse({"status": "leaving"})


async def _send(request: Request, answer: completions.Answer) -> Response:
    """Send an answer, as events or whole; a client that goes away ends it."""
    if answer.body.stream:
        return EventStream(answer.events)
    whole: dict[str, Any] | PhialError | None = None
    async with until_gone(request.receive):
        try:
            whole = await answer.whole()
        except PhialError as error:
            whole = error
    if isinstance(whole, PhialError):
        raise whole
    return JSONResponse(whole)


async def _body(request: Request, kind: type[Body]) -> Body:
    content = await request.body()
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = _field(content, first["loc"], missing=first["type"] == "missing") or "body"
        message = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise _InvalidField(f"`{where}`: {message}.", where) from error


def _field(content: bytes, location: Sequence[str | int], *, missing: bool) -> str:
    """Name the field of a body that pydantic's location leads to, without the kind that it tried to take it for.

    Those kinds, of a field that takes one of several, are in no body; nor is a field that is missing.
    """
    found: list[str] = []
    value = from_json(content) if location else None
    for part in location:
        if isinstance(part, int) and isinstance(value, list):
            value = value[part]
        elif isinstance(part, str) and isinstance(value, dict) and (missing or part in value):
            value = value.get(part)
        else:
            break
        found.append(str(part))
    return ".".join(found)


class _InvalidField(UsageError):
    def __init__(self, message: str, parameter: str) -> None:
        super().__init__(message)
        self.parameter = parameter


async def _refuse(_: Request, error: Exception) -> Response:
    """Put an error into OpenAI's shape."""
    assert isinstance(error, PhialError)  # noqa: S101 - registered for these only
    if isinstance(error, UsageError | PromptTooLong):
        return error_response(400, str(error), error.code, getattr(error, "parameter", None))
    return error_response(
        503 if isinstance(error, ModelLoading | ModelError) else 500, str(error), error.code
    )


async def _no_such_route(request: Request, error: Exception) -> Response:
    """Tell that there is no such path, or not with this method, in OpenAI's shape too."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for these only
    code = "method_not_allowed" if error.status_code == 405 else "not_found"
    response = error_response(
        error.status_code, f"There is no route {request.method} {request.url.path}.", code
    )
    response.headers.update(error.headers or {})
    return response


def error_response(status: int, message: str, code: str, parameter: str | None = None) -> JSONResponse:
    """Return an error as OpenAI's clients expect it."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return JSONResponse(
        {"error": {"message": message, "type": kind, "code": code, "param": parameter}}, status_code=status
    )


def _host(request: Request) -> Host:
    host = request.app.state.host
    assert isinstance(host, Host)  # noqa: S101 - set in create_app
    return host


class _OnlyOurs:
    """Lets through who knows the token, and only requests that were meant for this address.

    The `Host` check keeps a web page out that had its own name resolved to 127.0.0.1.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            if headers.get(b"host", b"").rpartition(b":")[0] not in (b"127.0.0.1", b"localhost"):
                response = error_response(400, "This server answers on 127.0.0.1 only.", "wrong_host")
                return await response(scope, receive, send)
            if not hmac.compare_digest(headers.get(b"authorization", b""), self._expected):
                response = error_response(401, "The bearer token is missing or wrong.", "invalid_api_key")
                return await response(scope, receive, send)
        return await self._app(scope, receive, send)
