"""From what a client attaches to a question to the text of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath

import anyio
from lsprotocol import types
from pygls.uris import to_fs_path

from phial.assist.excerpt import Snippet
from phial.assist.prompts import Question
from phial.engine.base import Message
from phial.errors import UsageError
from phial.lsp.documents import Document, Documents
from phial.lsp.languages import language_of
from phial.lsp.protocol import Attachment, ChatParams

_LARGEST_FILE = 1_000_000
"""Bytes. No model here reads that much at once, and a log of gigabytes would fill the memory."""


async def read_question(params: ChatParams, documents: Documents, folders: Iterable[str]) -> Question:
    """Return the question with the code it is about; `folders` are URIs. Raises `UsageError`."""
    attachments = params.attachments
    if params.text_document:
        attachments = [Attachment(params.text_document, params.range), *attachments]
    if not attachments and (params.task != "ask" or not params.question.strip()):
        raise UsageError("There is nothing to answer.", advice="Write a question, or select some code.")
    roots = tuple(folders)
    return Question(
        params.question,
        params.task,
        snippets=tuple([await _snippet(attachment, documents, roots) for attachment in attachments]),
        conversation=tuple(Message(turn.role, turn.content) for turn in params.conversation),
    )


def shown_path(uri: str, folders: Iterable[str]) -> str:
    """Return a document's path below its workspace folder, or its name where it is in none."""
    path = PurePath(to_fs_path(uri) or uri)
    for folder in folders:
        root = to_fs_path(folder)
        if root and path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return path.name


async def _snippet(attachment: Attachment, documents: Documents, folders: tuple[str, ...]) -> Snippet:
    uri = attachment.text_document.uri
    document = documents.get(uri) or await _read(uri, documents)
    code = document.between(attachment.range) if attachment.range else document.text
    if not code.strip():
        what = "The selection" if attachment.range else PurePath(uri).name
        raise UsageError(f"{what} is empty.", advice="Select the code that you mean.")
    return Snippet(code, shown_path(uri, folders), document.language_id)


async def _read(uri: str, documents: Documents) -> Document:
    """Read a file that is not open. Raises `UsageError`."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    if path is None:
        raise UsageError(f"{uri} is not open.", advice="Open it in the editor and try again.")
    file = anyio.Path(path)
    try:
        if (await file.stat()).st_size > _LARGEST_FILE:
            raise UsageError(f"{path} is too large to ask about.", advice="Open it and select a part of it.")
        text = (await file.read_bytes()).decode()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}.", advice="Open it in the editor."
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text in UTF-8.", advice="Choose a source file.") from error
    return documents.closed(types.TextDocumentItem(uri, language_of(Path(path)), 0, text))
