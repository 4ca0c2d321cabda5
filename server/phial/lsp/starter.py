"""Offer the starter model to whoever has none: one click, and everything works."""

from __future__ import annotations

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from phial.errors import PhialError
from phial.lsp.progress import work_done_progress
from phial.lsp.pulls import pull

_FETCH = "Fetch the Starter Model (93 MB)"


async def offer_starter(server: LanguageServer, message: str) -> bool:
    """Say that no model is installed, and fetch the starter if the user wants that; return whether it is here.

    An editor that cannot ask just shows the message.
    """
    question = types.ShowMessageRequestParams(
        types.MessageType.Warning, f"Phial: {message}", [types.MessageActionItem(_FETCH)]
    )
    try:
        chosen = await server.window_show_message_request_async(question)
    except JsonRpcException:
        server.window_show_message(types.ShowMessageParams(types.MessageType.Error, question.message))
        return False
    if chosen is None or chosen.title != _FETCH:
        return False
    try:
        async with work_done_progress(server, "Fetching the starter model") as report:
            await pull("starter", report)
    except PhialError as error:
        server.window_show_message(types.ShowMessageParams(types.MessageType.Error, f"Phial: {error}"))
        return False
    return True
