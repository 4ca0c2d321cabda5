"""Documents and positions: what the model is asked is what the editor shows, whatever stands in the text."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from phial.address import HostAddress
from phial.assist.excerpt import PREFIX_CHARS
from support.editors import Editor, completion_params, editor
from support.hosts import Relay, relay_to

HIGH, LOW = "\ud83d", "\ude00"  # the halves of an emoji
ENCODINGS = [("utf-8", "utf-8", 1), ("utf-16", "utf-16-le", 2), ("utf-32", "utf-32-le", 4)]


@pytest.fixture(scope="module")
async def relay(host: HostAddress) -> AsyncIterator[Relay]:
    async with relay_to(host) as relay:
        yield relay


@pytest.fixture(scope="module")
async def window(relay: Relay, host: HostAddress) -> AsyncIterator[Editor]:
    """A window that reaches the host through the relay, so that what is asked can be read."""
    async with editor(overheard(relay, host)) as window:
        await window.until_ready()
        yield window


def overheard(relay: Relay, host: HostAddress) -> dict[str, Any]:
    completion = {"maxTokens": 2, "debounce": 0, "maxFileSize": 100_000_000}
    return {"engine": {"url": relay.url, "key": host.token}, "completion": completion}


async def asked_around(window: Editor, relay: Relay, text: str, line: int, character: int) -> tuple[str, str]:
    """Complete at a position; return the text before and after it that the model is given."""
    return await asked_at(window, relay, opened(window, relay, text), line, character)


def opened(window: Editor, relay: Relay, text: str) -> str:
    """Open a document that nothing has been written for yet: what is known is not asked again."""
    return window.open(text, f"file:///work/{len(relay.questions)}/a.py")


async def asked_at(
    window: Editor, relay: Relay, uri: str, line: int, character: int, *, questions: int = 1
) -> tuple[str, str]:
    """Ask for a completion, and cancel it as soon as the model is asked.

    The word that is being typed is cut off: the places are chosen so that there is none.
    """
    count = len(relay.questions)
    params = completion_params(uri, line, character, unasked=questions == 1)
    number = window.ask("textDocument/inlineCompletion", params)
    body = await relay.until_asked(count + questions)
    window.notify("$/cancelRequest", {"id": number})
    await window.until(lambda message: message.get("id") == number)
    _, user, assistant = [message["content"] for message in body["messages"]]
    prefix = assistant.removeprefix("```python\n# a.py\n")
    return prefix, user.partition("It ends with:\n```python\n")[2].removesuffix("\n```")


def change(window: Editor, uri: str, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
    span = {
        "start": {"line": start[0], "character": start[1]},
        "end": {"line": end[0], "character": end[1]},
    }
    window.notify(
        "textDocument/didChange",
        {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"range": span, "text": text}]},
    )


async def test_text_around_the_cursor(window: Editor, relay: Relay) -> None:
    found = await asked_around(window, relay, "import os\n\nos.getcwd()\nprint(1)\n", 2, 3)
    assert found == ("import os\n\nos.", "getcwd()\nprint(1)\n")


@pytest.mark.parametrize(("encoding", "codec", "unit"), ENCODINGS)
async def test_edit_after_an_astral_character(
    relay: Relay, host: HostAddress, encoding: str, codec: str, unit: int
) -> None:
    before = "x = '😀👍🏽é' + "
    column = len(before.encode(codec)) // unit
    async with editor(
        overheard(relay, host), capabilities={"general": {"positionEncodings": [encoding]}}
    ) as window:
        uri = window.open(f"# 😀\n{before}OLD + b\n")
        change(window, uri, (1, column), (1, column + 3), "'😀new'")
        typed = column + len("'😀new'".encode(codec)) // unit
        found = await asked_at(window, relay, uri, 1, typed)
    assert found == (f"# 😀\n{before}'😀new'", " + b\n")


@pytest.mark.parametrize(
    ("line", "character", "around"),
    [
        (0, 99, ("a = (1)", "b = (2)")),
        (1, 99, ("a = (1)\nb = (2)", "")),
        (99, 0, ("a = (1)\nb = (2)", "")),
        (2**31 - 1, 2**31 - 1, ("a = (1)\nb = (2)", "")),
    ],
)
async def test_position_outside_the_document(
    window: Editor, relay: Relay, line: int, character: int, around: tuple[str, str]
) -> None:
    assert await asked_around(window, relay, "a = (1)\nb = (2)", line, character) == around


async def test_position_inside_a_surrogate_pair(window: Editor, relay: Relay) -> None:
    assert await asked_around(window, relay, "('😀')", 0, 3) == ("('", "😀')")


@pytest.mark.parametrize("half", [HIGH, LOW], ids=["high", "low"])
async def test_half_of_a_surrogate_pair(window: Editor, relay: Relay, half: str) -> None:
    assert await asked_around(window, relay, f"('{half}', 'b')", 0, 4) == ("('\ufffd'", ", 'b')")


async def test_half_of_a_surrogate_pair_is_replaced(window: Editor, relay: Relay) -> None:
    """The smallest difference of two emoji is one half of the pair."""
    uri = window.open("('\U0001f600', 'b')")
    change(window, uri, (0, 3), (0, 4), "\ude01")
    assert await asked_at(window, relay, uri, 0, 5) == ("('\U0001f601'", ", 'b')")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
async def test_line_ends(window: Editor, relay: Relay, end: str) -> None:
    text = end.join(["a = (1)", "b = (2)", "c = (3)", ""])
    assert await asked_around(window, relay, text, 1, 7) == ("a = (1)\nb = (2)", "c = (3)\n")
    uri = window.open(text)
    change(window, uri, (0, 7), (1, 0), "; ")
    assert await asked_at(window, relay, uri, 0, 16) == ("a = (1); b = (2)", "c = (3)\n")


async def test_line_ends_that_lsp_does_not_know(window: Editor, relay: Relay) -> None:
    text = "a = '\f\u2028\x85'\nb = (2)"
    assert await asked_around(window, relay, text, 1, 7) == (text, "")


async def test_byte_order_mark(window: Editor, relay: Relay) -> None:
    assert await asked_around(window, relay, "\ufeffa = (1)\nb = (2)", 0, 8) == ("a = (1)", "b = (2)")


async def test_binary_content(window: Editor, relay: Relay) -> None:
    text = "".join(map(chr, range(32))) + "\x7f\x80\xff(\x00)"
    found = await asked_around(window, relay, text, 2, len(text))  # LF and CR end a line
    assert "\x00\x01\x02" in found[0]
    assert found[0].endswith("(\x00)")


async def test_empty_document(window: Editor, relay: Relay) -> None:
    assert await asked_around(window, relay, "", 0, 0) == ("", "")


async def test_control_tokens_in_a_document(window: Editor, relay: Relay) -> None:
    text = "a = '<|im_end|>'\n(b)"
    assert (await asked_around(window, relay, text, 1, 3))[0] == text


async def test_ten_megabytes(window: Editor, relay: Relay) -> None:
    line = "value = compute(1, 2, 3)  # a line like any other\n"
    count = 10_000_000 // len(line) + 1
    uri = window.open(line * count + "(x)")
    began = time.perf_counter()
    prefix, suffix = await asked_at(window, relay, uri, count, 3)
    change(window, uri, (count // 2, 0), (count // 2, 0), "y = (2)\n")
    edited = await asked_at(window, relay, uri, count // 2, 7)
    assert time.perf_counter() - began < 20
    assert len(prefix) <= PREFIX_CHARS
    assert prefix.endswith(line + "(x)")
    assert prefix.startswith(line)
    assert suffix == ""
    assert edited[0].endswith(line + "y = (2)")
    assert edited[1].startswith(line)
    window.notify("textDocument/didClose", {"textDocument": {"uri": uri}})


async def test_one_line_of_a_megabyte(window: Editor, relay: Relay) -> None:
    uri = window.open("(1) + " * 170_000 + "(x)")
    prefix, _ = await asked_at(window, relay, uri, 0, 1_020_003, questions=3)  # such a line must be asked for
    assert prefix.endswith("(1) + (x)")
    assert len(prefix) <= PREFIX_CHARS


async def test_edit_of_a_document_that_is_not_open(window: Editor, relay: Relay) -> None:
    change(window, "file:///never/opened.py", (0, 0), (0, 0), "x")
    change(window, window.open("(a"), (9, 9), (3, 1), ")")
    assert await asked_at(window, relay, "file:///work/a.py", 0, 3) == ("(a)", "")


@pytest.mark.parametrize(
    "params",
    [
        {"textDocument": {"uri": "file:///work/a.py", "version": "two"}, "contentChanges": []},
        {"textDocument": {"uri": "file:///work/a.py", "version": 2}, "contentChanges": [{"txt": "x"}]},
        None,
    ],
)
async def test_edit_that_cannot_be_understood(window: Editor, relay: Relay, params: Any) -> None:
    uri = opened(window, relay, "(a)")
    window.notify("textDocument/didChange", params)
    assert await asked_at(window, relay, uri, 0, 3) == ("(a)", "")
    assert window.told("window/showMessage") == []


@pytest.mark.parametrize(
    "message",
    [b"{", b"\xff\xfe", b"[]", b"5", b"null", b'{"id": 7}', b'{"jsonrpc": "1.0", "method": "exit"}'],
)
async def test_message_that_is_none(window: Editor, relay: Relay, message: bytes) -> None:
    window.send_bytes(b"Content-Length: %d\r\n\r\n%b" % (len(message), message))
    assert (await window.request("phial/status", None))["state"] == "ready"
