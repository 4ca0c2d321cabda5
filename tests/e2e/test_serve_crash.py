"""The host is killed: the answer under way fails clearly, and the next one comes from a new host."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

from support.editors import ResponseError, editor
from support.processes import hosts_in

CAPITAL = "What is the capital of France?"


async def test_host_killed_in_the_middle_of_an_answer(starter: Path, own_home: Path) -> None:
    settings = {"model": str(starter), "device": "CPU", "chat": {"maxTokens": 300}}
    async with editor(settings) as window, editor(settings) as other:
        await window.until_ready()
        await other.until_ready()
        number = window.ask(
            "phial/chat", {"question": "Tell me a long story about a king.", "partialResultToken": "story"}
        )
        await window.until_pieces("story", 1)
        [host] = hosts_in(own_home)
        heard = len(window.heard)
        host.kill()
        with pytest.raises(ResponseError) as caught:
            await window.result(number)
        assert caught.value.code == -32803
        assert caught.value.data == {"code": "host_lost"}
        assert caught.value.message == (
            "The model host stopped in the middle of the answer."
            " Phial starts it again by itself: ask again in a moment."
        )
        # Asked at once, these wait for the new host.
        next_answers = [each.ask("phial/chat", {"question": CAPITAL}) for each in (window, other)]
        assert "Paris" in (await window.result(next_answers[0]))["text"]
        assert "Paris" in (await other.result(next_answers[1]))["text"]
        states = [status["state"] for status in window.told("phial/status", since=heard)]
        assert [state for state, _ in groupby(states)] == ["starting", "loading", "ready"]
        [successor] = hosts_in(own_home)
        assert successor.pid != host.pid
        for each in (window, other):
            assert each.process.returncode is None
            assert each.told("window/showMessage") == []
            assert "Traceback" not in each.stderr


async def test_host_killed_while_it_loads(starter: Path, own_home: Path) -> None:
    async with editor({"model": str(starter), "device": "CPU", "chat": {"maxTokens": 30}}) as window:
        await window.status("loading")
        number = window.ask("phial/chat", {"question": CAPITAL})
        [host] = hosts_in(own_home)
        host.kill()
        assert "Paris" in (await window.result(number))["text"]
