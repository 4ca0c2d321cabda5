"""LSP as pygls speaks it, with our own messages, and an answer to whatever cannot be understood."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import attrs
import cattrs
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.protocol import LanguageServerProtocol, lsp_method

from phial.lsp.documents import Documents
from phial.lsp.protocol import REQUESTS, RESPONSES

_log = logging.getLogger(__name__)


@attrs.frozen
class Unreadable:
    """A message that does not fit its method. A request has an id, and gets an answer."""

    method: str
    id: int | str | None
    problem: str


class PhialProtocol(LanguageServerProtocol):
    """LSP with our messages, and with documents whose lines end where LSP says they do."""

    def __init__(self, server: Any, converter: cattrs.Converter) -> None:
        super().__init__(server, converter)
        self.documents = Documents()

    def get_message_type(self, method: str) -> type[Any] | None:  # type: ignore[override] # pygls caches it
        """Return the class of a request or notification."""
        return REQUESTS.get(method) or super().get_message_type(method)

    def get_result_type(self, method: str) -> type[Any] | None:  # type: ignore[override] # pygls caches it
        """Return the class of a response."""
        return RESPONSES.get(method) or super().get_result_type(method)

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Return the object that a message means, or `Unreadable` where pygls would leave it unanswered."""
        if "jsonrpc" in data and "method" in data:
            data = {"params": None, **data}  # JSON-RPC lets a message go without, pygls does not
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            return Unreadable(str(data.get("method")), _request_id(data), _problem(error))

    def handle_message(self, message: Any) -> None:
        """Pass a message to its handler."""
        if not isinstance(message, Unreadable):
            super().handle_message(message)
            return
        _log.warning("%s cannot be understood: %s", message.method, message.problem)
        if message.id is not None:
            error = JsonRpcInvalidParams(f"{message.method} cannot be understood: {message.problem}.")
            self._send_response(message.id, error=error.to_response_error())

    def _execute_handler(
        self, msg_id: int | str, handler: Any, callback: Any, args: Any = None, kwargs: Any = None
    ) -> None:
        """Run a handler. pygls would remember the end of each notification for good: two kilobytes for a keystroke."""

        def ended(future: Any) -> None:
            self._request_futures.pop(msg_id, None)
            callback(future)

        super()._execute_handler(msg_id, handler, ended, args, kwargs)

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> Iterator[Any]:
        """Take over a document."""
        self.documents.open(params.text_document)
        yield from self._passed_on(types.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> Iterator[Any]:
        """Change a document."""
        self.documents.change(params.text_document, params.content_changes)
        yield from self._passed_on(types.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        """Forget a document."""
        self.documents.close(params.text_document.uri)

    def _passed_on(self, method: str, params: Any) -> Iterator[Any]:
        """Have pygls call the server's own handler next, which is how it knows it."""
        if handler := self.fm.features.get(method):
            yield handler, (params,), None


def _request_id(data: dict[str, Any]) -> int | str | None:
    number = data.get("id")
    return number if "method" in data and isinstance(number, int | str) else None


def _problem(error: JsonRpcException) -> str:
    """Name the first fields that do not fit, without their values: they may be the user's text."""
    cause = error.__cause__
    if not isinstance(cause, cattrs.ClassValidationError):
        return "it has another form"
    fields = [problem.rpartition(" @ ")[2] for problem in cattrs.transform_error(cause, path="message")]
    return f"look at {', '.join(fields[:3])}"
