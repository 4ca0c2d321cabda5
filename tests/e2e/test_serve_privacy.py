"""What the user writes stays on this machine, and out of every log and file."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from support.editors import ResponseError, editor
from support.processes import hosts_in, remote_addresses, with_sitecustomize

TELLING_CONNECTIONS = """
import os, sys

def tell(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        host = args[1][0] if event in ("socket.connect", "socket.sendto") else args[0]
        with open(os.environ["CONNECTIONS"], "a") as file:
            file.write(f"{event} {host}\\n")

sys.addaudithook(tell)
"""

SECRET = "Xylophonkatze"


async def test_user_text_is_written_nowhere(starter: Path, own_home: Path) -> None:
    """Not by what works, and not by what fails: the log shows what went wrong without the text."""
    settings = {"model": str(starter), "device": "CPU", "chat": {"maxTokens": 20}}
    async with editor(settings) as window:
        await window.until_ready()
        uri = window.open(f"def {SECRET}(a, b):\n    return {SECRET} + ")
        await window.complete(uri, 1, 24)
        await window.chat(f"What is {SECRET}?", textDocument={"uri": uri}, partialResultToken="t")
        [host] = hosts_in(own_home)
        for params in (
            {"question": SECRET * 20_000},
            {"question": SECRET, "task": SECRET},
            {"question": SECRET, "conversation": [{"role": SECRET, "content": SECRET}]},
            {"question": SECRET, "textDocument": {"uri": uri}, "range": {"start": SECRET, "end": SECRET}},
            {"question": SECRET, "textDocument": {"uri": "file:///not/open.py"}},
        ):
            with pytest.raises(ResponseError):
                await window.request("phial/chat", params)
        for arguments in (
            [{"question": SECRET, "range": {"start": {"line": SECRET}}}],
            [SECRET],
            [1, SECRET],
        ):
            with pytest.raises(ResponseError):
                await window.request(
                    "workspace/executeCommand", {"command": "phial.ask", "arguments": arguments}
                )
        version = {"uri": uri, "version": SECRET}
        window.notify(
            "textDocument/didChange", {"textDocument": version, "contentChanges": [{"text": SECRET}]}
        )
        window.notify("textDocument/didOpen", {"textDocument": {"uri": uri, "text": SECRET, "version": 1}})
        window.send({"jsonrpc": "1.0", "id": 1, "method": "phial/chat", "params": {"question": SECRET}})
        window.send_bytes(b"Content-Length: %d\r\n\r\n{%b" % (len(SECRET) + 1, SECRET.encode()))
        number = window.ask(
            "phial/chat", {"question": f"Tell me a story about {SECRET}.", "partialResultToken": "u"}
        )
        await window.until(
            lambda message: message.get("method") == "$/progress" and message["params"]["token"] == "u"
        )
        host.kill()
        with pytest.raises(ResponseError, match="stopped in the middle"):
            await window.result(number)
        await window.request("phial/status", None)
    assert window.stderr  # it has complained, but not with the text
    assert_unwritten(own_home)


def assert_unwritten(home: Path) -> None:
    written = [file for file in home.rglob("*") if file.is_file()]
    assert [file for file in written if file.parent.name == "logs"]
    for file in written:
        assert SECRET.encode() not in file.read_bytes(), file


async def test_no_connection_leaves_the_machine(starter: Path, own_home: Path, tmp_path: Path) -> None:
    """Seen from inside, in all Python of the server, the host and what they fork, and from outside."""
    told = tmp_path / "connections"
    environment = {**with_sitecustomize(tmp_path, TELLING_CONNECTIONS), "CONNECTIONS": str(told)}
    settings = {"model": str(starter), "device": "CPU", "chat": {"maxTokens": 40}}
    seen: set[str] = set()
    async with editor(settings, environment=environment) as window:
        await window.until_ready()
        number = window.ask(
            "phial/chat", {"question": "Tell me a story about a king.", "partialResultToken": 1}
        )
        for count in range(1, 6):
            await window.until_pieces(1, count)
            for process in (psutil.Process(window.process.pid), *hosts_in(own_home)):
                for relative in (process, *process.children(recursive=True)):
                    seen |= remote_addresses(relative)
        await window.result(number)
    assert seen == {"127.0.0.1"}
    assert {line.split()[1] for line in told.read_text().splitlines()} == {"127.0.0.1"}
