"""How errors get to the editor, and how the user's text stays out of the log on the way."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from phial.errors import PhialError

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class RequestFailed(JsonRpcException):
    """An error that the editor shows to its user."""

    CODE = types.LSPErrorCodes.RequestFailed.value
    MESSAGE = "Request failed"


def failing_clearly(
    handler: Callable[Parameters, Awaitable[Result]],
) -> Callable[Parameters, Awaitable[Result]]:
    """Turn an error that a user can understand into a response that says it."""

    @wraps(handler)
    async def clear(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return await handler(*args, **kwargs)
        except PhialError as error:
            raise RequestFailed(str(error), data={"code": error.code}) from error

    return clear


def keep_text_out_of_logs() -> None:
    """Have pygls log no payloads, which hold the user's text."""
    logging.getLogger("pygls").setLevel(logging.WARNING)
    logging.getLogger("pygls.protocol.json_rpc").addFilter(_is_fit_to_log)


def _is_fit_to_log(record: logging.LogRecord) -> bool:
    """Keep errors that the editor is told out of the log, and what pygls logs with the user's text in it."""
    told = record.exc_info is not None and isinstance(record.exc_info[1], JsonRpcException)
    return not told and record.msg not in _WITH_PAYLOAD


_WITH_PAYLOAD = (
    "Unable to deserialize message\n%s",
    'Unknown message "%s"',
    "Failed to handle request %s %s %s",
    "Failed to handle notification %r: %s",
)
