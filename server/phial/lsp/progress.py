"""Work-done progress for what the user waits for; silent where the client has none."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer


@dataclass(frozen=True)
class Report:
    """Tells how far the work is; `token` is None where nobody listens."""

    server: LanguageServer
    token: int | str | None

    def __call__(self, message: str, fraction: float | None) -> None:
        """Tell a message and the fraction done, from 0 to 1."""
        if self.token is None:
            return
        percentage = None if fraction is None else round(100 * fraction)
        self.server.work_done_progress.report(
            self.token, types.WorkDoneProgressReport(message=message, percentage=percentage)
        )


@asynccontextmanager
async def work_done_progress(
    server: LanguageServer, title: str, token: int | str | None = None
) -> AsyncIterator[Report]:
    """Show progress in the editor for as long as the context lasts, by the token of a request or a new one."""
    if token is None:
        token = await _create(server)
    if token is not None:
        server.work_done_progress.begin(token, types.WorkDoneProgressBegin(title=title, percentage=0))
    try:
        yield Report(server, token)
    finally:
        if token is not None:
            server.work_done_progress.end(token, types.WorkDoneProgressEnd())


async def _create(server: LanguageServer) -> str | None:
    window = server.client_capabilities.window
    if not (window and window.work_done_progress):
        return None
    token = str(uuid.uuid4())
    try:
        await server.work_done_progress.create_async(token)
    except JsonRpcException:  # a client may refuse a token: then it shows no progress
        return None
    return token
